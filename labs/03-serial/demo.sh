#!/bin/sh
# Lab 3 in five minutes: a chip that is a struct, what its guests see, and what each of their looks costs.
# shellcheck source=scripts/demo-steps
. scripts/demo-steps

BUILD=${BUILD:-build/lab3}
ECHO="$BUILD/terrarium run --flat $BUILD/echo.bin"

say "A serial port of 1987, the 16550. Here is all of it: eight registers, a FIFO of sixteen bytes, a few notes. There is no wire and no chip."
show sed -n '/^struct uart {/,/^};/p' hypervisor/devices/uart16550.c

say "A guest of 36 bytes talks to it: it waits for a byte, makes a capital of it and sends it back. It needs no kernel, no interrupt, and cannot tell that the chip is C."
show sed -n '/^next:/,/hlt/p' guestos/flat/echo.S

say "We type a line. Every IN and OUT of the guest leaves the virtual machine: an exit. Three for each byte, and some looks in vain."
show sh -c "echo 'hello, world' | $ECHO --stats"

say "The host can be faster than any line. 4,096 bytes at once, through sixteen places: Terrarium lets them wait until the guest has room."
show sh -c "yes moss | head -c 4096 | $ECHO --stats | md5sum"

say "Was anything lost? The sum of what should have come out:"
show sh -c "yes MOSS | head -c 4096 | md5sum"

say "Now a kernel. Moss looks for the chip, sets it up and prints its first line: 47 bytes, one exit each; five accesses to find and prepare the chip; and only three looks at the line status, because an empty transmitter takes sixteen bytes."
show sh -c "$BUILD/terrarium run --kernel $BUILD/moss.elf --stats < /dev/null"

say "This is the loop that does it. A byte that costs an exit is the price of a device that any old kernel knows; lab 7 shows the way out."
show sed -n '/^static void uart_write(/,/^}/p' guestos/drivers/uart.c
