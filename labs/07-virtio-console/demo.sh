#!/bin/sh
# Lab 7 in five minutes: what a byte costs on a serial port, and what it costs in a ring.
# shellcheck source=scripts/demo-steps
. scripts/demo-steps

BUILD=${BUILD:-build/lab7}
GUEST="$BUILD/terrarium run --kernel $BUILD/moss.elf --initrd $BUILD/initrd.cpio"

say "A guest prints. On a serial port each byte is an instruction that leaves the guest: an exit. Moss prints 4,096 bytes, first that way. Look at the number of exits."
show sh -c "printf 'head -c 4096 /dev/zero\n' | $GUEST --console serial --stats | wc -c"

say "Now by virtio. The bytes stay in the guest's memory; a ring says where. One store to a register, and Terrarium prints the whole buffer."
show sh -c "printf 'head -c 4096 /dev/zero\n' | $GUEST --stats | wc -c"

say "What is left? A guest that prints nothing shows it: these exits are the two sides getting to know each other, register by register: features, queues, status."
show sh -c "printf 'true\n' | $GUEST --stats"

say "So the price hardly grows with the bytes. A whole MiB, through the same rings:"
show sh -c "printf 'head -c 1048576 /dev/zero > /tmp/f\ncat /tmp/f\n' | $GUEST --stats | wc -c"

say "The other way: 64 KiB are typed, and Moss sums them up. The driver has offered empty buffers; the device fills them, a page at a time."
show sh -c "head -c 65536 /dev/zero | { echo cksum; cat; } | $GUEST --stats"

say "Was anything lost on the way? The sum of 64 KiB that never crossed, from Moss's own /dev/zero, is the same."
show sh -c "printf 'head -c 65536 /dev/zero | cksum\n' | $GUEST"

say "The ring lies in memory that the guest can write at any time, so the device checks everything, and breaks itself rather than follow a bad chain. The same loops, jumps and wild addresses are the tests of this lab; this is the code that says no."
show grep -n "return \"" hypervisor/virtio/queue.c
