TITLE_07 = A console by virtio: shared rings instead of an exit for every byte
