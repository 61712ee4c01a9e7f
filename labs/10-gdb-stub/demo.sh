#!/bin/sh
# Lab 10 in five minutes: a debugger for a whole machine.
# shellcheck source=scripts/demo-steps
. scripts/demo-steps

export DEBUGINFOD_URLS= # no server is asked for sources

BUILD=${BUILD:-build/lab10}
SERVER="$BUILD/terrarium run --gdb stdio --gdb-wait --kernel $BUILD/moss.elf --initrd $BUILD/initrd.cpio"
SESSION="${GDB:-gdb} -nx -batch $BUILD/moss.elf -iex 'set confirm off' -iex 'set remotetimeout 100' -ex 'target remote | exec $SERVER 2>/dev/null'"

say "gdb speaks in lines of text. We are gdb: '?', why does the guest stand still; 'p10', what is in register 16, which is RIP; 'k', end it. Each packet ends with the sum of its bytes."
show sh -c "printf '\$?#3f\$p10#d1\$k#6b' | $SERVER 2>/dev/null | cat; echo"

say "The real one asks the same, and knows what it means. It stops where Moss's C code begins. The server planted one byte there, and took it out again: gdb sees the guest's own code."
show sh -c "$SESSION -ex 'break kmain' -ex continue -ex 'x/3i \$pc' -ex 'print/x \$cr3' -ex kill"

say "Who called whom, out of a function, and on by lines."
show sh -c "$SESSION -ex 'break boot_read' -ex continue -ex backtrace -ex finish -ex next -ex next -ex kill"

say "A condition: stop at the twentieth system call. gdb looks at each of them, steps over its breakpoint, and lets the guest go on."
show sh -c "$SESSION -ex 'set \$n = 0' -ex 'break syscall_dispatch if ++\$n == 20' -ex continue -ex 'backtrace 2' -ex 'print \$n' -ex kill"

say "What a program does not have, Terrarium tells: 'monitor' walks the page tables for gdb."
show sh -c "$SESSION -ex 'break kmain' -ex continue -ex 'monitor walk 0xffffffff80100000' -ex 'monitor vcpus' -ex kill"

SERVER="$SERVER --append demo=lose-idt"
SESSION="${GDB:-gdb} -nx -batch $BUILD/moss.elf -iex 'set confirm off' -iex 'set remotetimeout 100' -ex 'target remote | exec $SERVER 2>/dev/null'"
say "A kernel that dies is a stop, too. Here it loses its IDT, and the next exception is a triple fault. Registers and stack are still there to be asked. (Intel: where it died. AMD forgets the registers at that moment: what gdb shows is the last exit before.)"
show sh -c "$SESSION -ex continue -ex 'print/x \$idt_limit' -ex 'backtrace 3' -ex kill | sed 's/^/  /'"
