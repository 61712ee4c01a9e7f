#!/bin/sh
# Lab 6 in five minutes: programs come, and are not believed.
# shellcheck source=scripts/demo-steps
. scripts/demo-steps

BUILD=${BUILD:-build/lab6}
GUEST="$BUILD/terrarium run --kernel $BUILD/moss.elf --initrd $BUILD/initrd.cpio"

say "Terrarium puts one file into the guest's memory, the initrd. Moss finds programs in it. The smallest thing that it can do with them: run one, as process 1, and end with its status."
show sh -c "$GUEST --append 'quiet init=/bin/uname'"

say "Now a whole shell. Each command is a fork and an exec; the pipes between them carry bytes, and the end of the file comes when the last writer is gone."
show sh -c "printf 'echo one two three | cat | wc -w\nls /bin | wc -l\n' | $GUEST"

say "A writer without a reader gets a signal. head takes ten bytes and ends; cat, which would go on for ever, dies of SIGPIPE, and the shell comes back."
show sh -c "printf 'cat /dev/zero | head -c 10 | wc -c\n' | $GUEST"

say "What does a fork cost? This shell makes itself a MiB of text, and then eight copies of itself. ps counts 9 MiB for them; free says that little more than 1 MiB is used. They share their pages until somebody writes."
show sh -c "printf 'x=0123456789abcdef\nwhile [ \${#x} -lt 1000000 ]; do x=\$x\$x; done\nfree\nfor i in 1 2 3 4; do (sleep 99; true) & done\nsleep 1\nfree\nps\n' | $GUEST"

say "A program that touches what is not its own is ended, and nobody else. Here it asks the kernel, politely, to write to kernel addresses, forges signal frames, and returns to addresses that do not exist."
show sh -c "printf 'selftest faults_ hostile_pointers\n' | $GUEST"

say "And the status of the last shell is the status of the machine: a test can run in a guest, and its verdict comes out."
show_failing sh -c "printf 'exit 3\n' | $GUEST"

say "All of this hangs on a few lines. This one decides whether the kernel's own memory is safe from every read() and write():"
show grep -n -A 3 "^bool user_range" guestos/proc/user.c
