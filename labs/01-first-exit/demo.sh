#!/bin/sh
# Lab 1 in five minutes: a computer for a few bytes, and what makes it exit.
# shellcheck source=scripts/demo-steps
. scripts/demo-steps

BUILD=${BUILD:-build/lab1}
GUEST="$BUILD/first.bin"

say "A computer is a processor, memory, and something that happens outside. Here is a program for one: seven instructions, typed as bytes. Three times a byte into AL and AL to port 0xE9; then HLT."
show sh -c "printf '\260H\346\351\260i\346\351\260\n\346\351\364' > $GUEST; objdump -D -b binary -m i8086 $GUEST"

say "Terrarium makes the computer, puts the bytes at address 0x7C00, and lets the processor run them. Each OUT and the HLT is an exit: the processor stops, and Terrarium does what the instruction wanted."
show "$BUILD/terrarium" run --flat "$GUEST" --stats

say "How is such a computer made? gdb stops at the five steps: a VM from /dev/kvm, its memory, a vCPU, its registers, and KVM_RUN. The last one enters the guest."
show gdb -batch -ex "break kvm_open" -ex "break memory_add" -ex "break vcpu_create" -ex "break flat_start" -ex "break vcpu_enter" \
    -ex run -ex continue -ex continue -ex continue -ex continue --args "$BUILD/terrarium" run --flat "$GUEST"

say "And this is what an exit looks like from the host: the run page, which we share with KVM, says which port, which direction, and where the byte is."
show gdb -batch -ex "break vcpu_handle_io" -ex run -ex "print vcpu->run->exit_reason" -ex "print vcpu->run->io" \
    -ex "x/1c (char *)vcpu->run + vcpu->run->io.data_offset" --args "$BUILD/terrarium" run --flat "$GUEST"

say "What does a guest cost that only computes? 'jmp .' for two seconds, then a signal. Nothing: not one exit. The processor runs the guest, and Terrarium sleeps."
show_failing sh -c "printf '\353\376' > $GUEST; timeout -s INT 2 $BUILD/terrarium run --flat $GUEST --stats"

say "Memory costs nothing either until it is touched. A guest with 200 GiB, on this machine:"
show "$BUILD/terrarium" run --flat "$BUILD/hello.bin" --memory 200G

say "A guest may die, and only it dies. This one throws its interrupt table away and makes a mistake: a triple fault. A PC would reboot; Terrarium ends with status 121."
show_failing sh -c "printf '\017\001\036\000\000\017\013' > $GUEST; $BUILD/terrarium run --flat $GUEST"
