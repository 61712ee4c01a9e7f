#!/bin/sh
# Lab 2 in five minutes: from a file to a kernel in 64-bit mode.
# shellcheck source=scripts/demo-steps
. scripts/demo-steps

BUILD=${BUILD:-build/lab2}
MOSS=$BUILD/moss.elf

say "A kernel is an ELF file. Its program headers say which bytes go where. Look at the two addresses: where it will see itself, high up, and where it has to be put, at 1 MiB."
show readelf -lW "$MOSS"

say "Where does it begin, and how? It says so in a note, of 20 bytes: owner Xen, type 0x12, and an address, lowest byte first: 0x00100000. That is the PVH protocol; QEMU and Firecracker read the same note."
show readelf -nW "$MOSS"

say "Terrarium copies the segments into the guest's memory, describes the machine at 0x6000, and puts the processor into 32-bit protected mode at that address. Here it is, one step before the first instruction: the magic number, and the map of the memory."
show gdb -batch -ex "break vcpu_enter" -ex run -ex "set \$data = (struct pvh_boot_data *)(vcpu->vm->ram[0].hva + 0x6000)" \
    -ex "print/x \$data->info" -ex "print/x \$data->map" -ex "print (char *)\$data->cmdline" \
    --args "$BUILD/terrarium" run --kernel "$MOSS" --append "hello from the host"

say "Now let it run. Moss makes page tables, goes to 64 bits, jumps to its high address, finds the command line, and prints it. Every byte of that line is an exit; the whole way to it is none."
show "$BUILD/terrarium" run --kernel "$MOSS" --append "hello from the host" --stats

say "With more memory: the map grows a second piece above 4 GiB, since below it there is room for devices. Moss counts both."
show "$BUILD/terrarium" run --kernel "$MOSS" --memory 6G

say "Not every file is a kernel. Without the note nobody knows where to begin, so Terrarium says what is missing, and does not guess."
show_failing sh -c "objcopy --remove-section .notes $MOSS $BUILD/no-note.elf; $BUILD/terrarium run --kernel $BUILD/no-note.elf"
