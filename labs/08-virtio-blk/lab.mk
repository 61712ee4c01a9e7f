TITLE_08 = A disk by virtio, and a FAT file system on it
GUESTOS += guestos/drivers/virtio_rng.c
GUESTOS += guestos/drivers/random_device.c
