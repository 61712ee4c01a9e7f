#!/bin/sh
# Lab 4 in five minutes: a kernel makes five mistakes, and each time somebody can say what happened.
# shellcheck source=scripts/demo-steps
. scripts/demo-steps

BUILD=${BUILD:-build/lab4}
MOSS="$BUILD/terrarium run --kernel $BUILD/moss.elf --append"

say "A kernel with page tables can catch its own mistakes. The most famous one: a write through a null pointer. The CPU finds no page, raises a page fault, and Moss explains: the address, the registers, and who called whom."
show_failing sh -c "$MOSS demo=null < /dev/null"

say "The next one writes to the kernel's own code. There is a page, and it may be read and executed, but not written: no page of Moss is both writable and executable."
show_failing sh -c "$MOSS demo=write-code < /dev/null"

say "The reverse: a jump into data. The page has the no-execute bit."
show_failing sh -c "$MOSS demo=execute-data < /dev/null"

say "An endless recursion. The stack grows into a page that is not mapped. The page fault cannot be delivered, because there is no stack to push to: a double fault, for which Moss has a stack of its own."
show_failing sh -c "$MOSS demo=overflow < /dev/null"

say "Now a death that no kernel can explain: it throws its interrupt table away, and then executes an instruction that does not exist. No handler, no double fault, the CPU gives up: a triple fault. On a PC the screen goes black. Here the hypervisor walks through the dead guest's page tables and says why. (On AMD, KVM forgets the last registers; so from exit 100 on we let it go an instruction at a time.)"
show_failing sh -c "$MOSS demo=lose-idt --step-after 100 < /dev/null"

say "The heart of it is 30 lines: one level of the walk after the other, each question in the order in which the CPU asks it."
show sed -n '/^static const char \*walk_levels/,/^}/p' hypervisor/inspect/walk.c
