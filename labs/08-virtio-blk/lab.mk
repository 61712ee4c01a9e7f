TITLE_08 = A disk by virtio, and a FAT file system on it
HYPERVISOR += hypervisor/virtio/blk.h
HYPERVISOR += hypervisor/virtio/blk.c
HYPERVISOR += hypervisor/virtio/rng.c
