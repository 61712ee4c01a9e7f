/* Requests to a disk: what the device (blk.c) hands to whoever carries them out. */
#ifndef BLK_H
#define BLK_H

#include "virtio.h"

#define BLK_SEGMENTS_MAX (VIRTIO_QUEUE_SIZE_MAX - 2) /* of data: the header and the status have one each */

struct disk;

struct blk_request {
    struct disk *disk;
    unsigned run;    /* of the device, when it was begun */
    uint16_t head;   /* of its chain */
    uint32_t type;   /* BLK_xxx */
    uint64_t offset; /* bytes */
    size_t bytes;
    struct iovec *iov; /* into `chain` */
    unsigned iov_count;
    uint8_t *status; /* in the guest */
    struct chain chain;
    struct blk_request *next; /* while it is free */
};

/* Request types (virtio 1.2 §5.2.6). */
enum { BLK_IN = 0, BLK_OUT = 1, BLK_FLUSH = 4, BLK_GET_ID = 8, BLK_DISCARD = 11, BLK_WRITE_ZEROES = 13 };

struct disk {
    struct virtio_device device;
    char name[8];
    char serial[21]; /* 20 bytes are told */
    const char *path;
    int fd;
    bool read_only;
    uint64_t size; /* bytes */
    struct blk_request *free;
    /*
     * How BLK_IN, BLK_OUT and BLK_FLUSH are carried out. start() calls blk_done() at once or later; submit()
     * comes after the last start() of several; drain() waits until all that were started are done. As blk.c
     * sets them, start() waits for the file and the others are NULL. Another file may put its own there. With
     * vm->lock held.
     */
    void (*start)(struct blk_request *request);
    void (*submit)(struct disk *disk);
    void (*drain)(struct disk *disk);
    void *starter; /* its own */
};

/* A request has ended, with 0 or -errno: tell the guest. With vm->lock held. Call blk_tell() after the last
 * of several. */
void blk_done(struct blk_request *request, int error);
void blk_tell(struct disk *disk);

/* Call fn for each disk of the VM. */
void blk_each(struct vm *vm, void (*fn)(struct disk *disk));

#endif
