#!/bin/busybox sh
# The first process of the Linux that kvm_linux.c boots: it uses Terrarium's devices by Linux's own drivers, and reports
# in lines "name value" through the ports from 0x1000, which no console text reaches.
# shellcheck shell=dash

/bin/busybox mkdir -p /proc /sys /dev
/bin/busybox --install -s /bin
export PATH=/bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys

say() { echo "$*" | dd of=/dev/port bs=4k seek=1 conv=notrunc status=none; }

# try NAME COMMAND...: "NAME ok", or why not
try() {
    name=$1
    shift
    if error=$("$@" 2>&1); then say "$name ok"; else say "$name failed: $error"; fi
}

load() {
    for module; do try "load.$module" insmod "/modules/$module.ko"; done
}

unload() {
    for module; do try "unload.$module" rmmod "$module"; done
}

# copy NAME FROM TO ARGUMENT...: with dd, and see that all is on the disk before it ends
copy() {
    name=$1 from=$2 to=$3
    shift 3
    try "$name" dd "if=$from" "of=$to" conv=notrunc,fsync status=none "$@"
}

# Send back what comes from the console, byte by byte the same. The newest terminal of virtio_console is the one that
# can be opened.
echo_console() {
    for tty in /dev/hvc*; do
        stty -F "$tty" raw -echo 2>/dev/null && break
    done
    exec 3<>"$tty"
    stty -F "$tty" raw -echo
    say "$1.ready $tty"
    head -c "$2" <&3 >/console.bytes
    say "$1.read $(wc -c </console.bytes)"
    cat /console.bytes >&3
    exec 3<&- # waits until it is sent
    say "$1.written ok"
}

say "release $(uname -r)"
if [ ! -d "/modules/$(uname -r)" ]; then
    say modules none
    say end
fi
load virtio_ring virtio virtio_mmio virtio_console virtio_blk virtio-rng loop

for disk in vda vdb; do
    say "$disk.sectors $(cat /sys/block/$disk/size)"
    say "$disk.serial $(cat /sys/block/$disk/serial)"
    say "$disk.ro $(cat /sys/block/$disk/ro)"
    say "$disk.cache $(cat /sys/block/$disk/queue/write_cache)"
done

# Where on vda, in MiB: 0 to 4 is the original.
copy vda.large /dev/vda /dev/vda bs=1M count=4 seek=4 iflag=direct oflag=direct
copy vdb.read /dev/vdb /dev/vda bs=64k seek=128
for part in 9 10 11 12; do # four at a time fill the queue
    copy "vda.small.$part" /dev/vda /dev/vda bs=4k count=256 seek=$((part * 256)) iflag=direct oflag=direct &
done
wait
try vda.discard blkdiscard -o $((13 << 20)) -l $((1 << 20)) /dev/vda
try loop.setup losetup /dev/loop0 /dev/vda # a hole in a loop device is a WRITE_ZEROES for the disk below
try vda.zeroes blkdiscard -o $((14 << 20)) -l $((1 << 20)) /dev/loop0
try loop.end losetup -d /dev/loop0
say "rng.name $(cat /sys/class/misc/hw_random/rng_current)"
copy rng /dev/hwrng /dev/vda bs=4k count=16 seek=3840 iflag=fullblock
try vdb.write dd if=/dev/zero of=/dev/vdb bs=512 count=1 conv=notrunc,fsync status=none
echo_console console 307200

say "interrupts $(grep -c 'edge.*virtio' /proc/interrupts)"
unload virtio_console virtio_blk virtio_rng
say unloaded
load virtio_console virtio_blk virtio-rng
say "again.sectors $(cat /sys/block/vda/size)"
copy again.write /dev/vda /dev/vda bs=64k count=2 seek=244 iflag=direct oflag=direct
try again.rng dd if=/dev/hwrng of=/dev/null bs=512 count=1 iflag=fullblock status=none
echo_console again 65536
unload virtio_console virtio_blk virtio_rng virtio_mmio
say unloaded
load virtio_mmio virtio_blk
copy third.write /dev/vda /dev/vda bs=64k count=2 seek=246

dmesg -r | grep -E '^<[0-4]>' | while read -r line; do say "dmesg $line"; done
say end
sleep 1000
