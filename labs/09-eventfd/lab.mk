TITLE_09 = Notifications that cost nothing: ioeventfd, irqfd, io_uring
HYPERVISOR += hypervisor/virtio/io_thread.h
HYPERVISOR += hypervisor/virtio/eventfd.c
HYPERVISOR += hypervisor/virtio/blk_uring.c
# The last feature to start is the first to end: the thread must stand still before what it works for goes.
HYPERVISOR += hypervisor/virtio/io_thread.c
LIBS += -luring
GUESTOS += guestos/drivers/virtio_event_idx.c
