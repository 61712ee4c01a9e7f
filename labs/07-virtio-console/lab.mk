TITLE_07 = A console by virtio: shared rings instead of an exit for every byte
GUESTOS += guestos/drivers/virtqueue.c
GUESTOS += guestos/drivers/virtio_mmio.c
GUESTOS += guestos/drivers/virtio_console.c
GUESTOS += guestos/drivers/virtio_console_output.c
GUESTOS += guestos/include/virtio.h
GUESTOS += guestos/include/virtqueue.h
GUESTOS += guestos/include/virtio_console.h
