TITLE_08 = A disk by virtio, and a FAT file system on it
