TITLE_09 = Notifications that cost nothing: ioeventfd, irqfd, io_uring
GUESTOS += guestos/drivers/virtio_event_idx.c
