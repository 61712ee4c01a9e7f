TITLE_07 = A console by virtio: shared rings instead of an exit for every byte
HYPERVISOR += hypervisor/virtio/virtio.h
HYPERVISOR += hypervisor/virtio/queue.c
HYPERVISOR += hypervisor/virtio/mmio.c
HYPERVISOR += hypervisor/virtio/console.c
