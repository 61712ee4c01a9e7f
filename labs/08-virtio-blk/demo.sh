#!/bin/sh
# Lab 8 in five minutes: a disk is a file, and what a guest is promised when it says sync.
# shellcheck source=scripts/demo-steps
. scripts/demo-steps

BUILD=${BUILD:-build/lab8}
DISK=$BUILD/demo.img
GUEST="$BUILD/terrarium run --kernel $BUILD/moss.elf --initrd $BUILD/initrd.cpio --disk $DISK"

# Run $1 in the guest, and kill the hypervisor as soon as the guest prints $2.
kill_after()
{
    rm -f "$BUILD/demo.out"
    printf '%s\nsleep 1000\n' "$1" | $GUEST > "$BUILD/demo.out" &
    while ! grep -qs "$2" "$BUILD/demo.out"; do sleep 0.1; done
    kill -9 $!
    wait $! || true
}

say "A guest's disk is a file of the host. This one has a FAT file system, made by mtools, with one file on it."
show scripts/mkdisk -f "$DISK" 16M README.md

say "Moss finds the disk, mounts it at /disk, reads the file and writes another one. Each request costs three exits: the notification, and two accesses to registers for the interrupt. The last table counts them."
show sh -c "printf 'wc /disk/README.md\necho from Moss > /disk/note\nsync\n' | $GUEST --stats"

say "The host can read what Moss wrote."
show mtype -i "$DISK" ::note

say "Where is it? A file is a chain of clusters, and mtools shows the chain."
show mshowfat -i "$DISK" ::README.md ::note

say "Now the promise. Moss copies a program, calls sync, says 'safe'. In that moment Terrarium is killed with signal 9: nobody can clean up."
show kill_after 'cp /bin/ls /disk/kept; sync; echo safe' safe

say "Is it there, to the last byte?"
show sh -c "mtype -i $DISK ::kept | cmp - $BUILD/root/bin/ls && echo unharmed"

say "The same without sync. The bytes are in Moss's cache, in the memory of a machine that dies."
show kill_after 'cp /bin/ls /disk/lost; echo written' written

say "Nobody promised anything for that file, and it is most likely not there. (Moss writes after five seconds anyway; a slow machine may have got so far.) But the file system is whole, says a program that others wrote."
show sh -c "mdir -b -i $DISK && PATH=\$PATH:/usr/sbin:/sbin fsck.fat -n $DISK"
