#!/bin/sh
# Lab 9 in five minutes: what a notification costs, and who waits.
# shellcheck source=scripts/demo-steps
. scripts/demo-steps

BUILD=${BUILD:-build/lab9}
DISK=$BUILD/demo.img
GUEST="$BUILD/terrarium run --kernel $BUILD/moss.elf --initrd $BUILD/initrd.cpio --stats --disk $DISK"
# shellcheck disable=SC2016 # Moss's shell is to expand it
LOOP='i=0; while [ $i -lt 300 ]; do echo $i; i=$((i+1)); done'

say "A small disk, and two ways to run the same kit: as of lab 9, and with --no-eventfd, where each notification is an exit."
show scripts/mkdisk -f "$DISK" 2M

say "Moss prints 300 lines, each in a write of its own. With an exit for each notification, the vCPU's thread prints, and the guest stands still meanwhile."
show sh -c "printf '$LOOP\\n' | $GUEST --no-eventfd | tail -n 1"

say "Now KVM turns the same store to QueueNotify into an eventfd, and a thread of its own prints. What is left are the registers at the start."
show sh -c "printf '$LOOP\\n' | $GUEST | tail -n 1"

say "A disk: one process reads 4 KiB at random places. Each request is a notification and, where Moss rests before it has ended, an interrupt with two registers: up to three exits."
show sh -c "printf 'diskbench -r 1 /dev/vda\\n' | $GUEST --no-eventfd"

say "With eventfds the notification is no exit any more. Look also at the time in the handlers of vda: the guest does not wait for the host's file there any more."
show sh -c "printf 'diskbench -r 1 /dev/vda\\n' | $GUEST"

say "32 processes read. io_uring has many of their requests at once. While one of them runs, Moss wants no interrupts and looks at the ring itself: hardly an exit for a request."
show sh -c "printf 'diskbench -r 32 /dev/vda\\n' | $GUEST"
