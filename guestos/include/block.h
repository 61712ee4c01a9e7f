/* Block devices: disks as arrays of 512-byte sectors, and the requests that a driver carries out. */
#ifndef BLOCK_H
#define BLOCK_H

#include "list.h"
#include "thread.h"
#include "types.h"

#define SECTOR_SIZE 512

enum block_op { BLOCK_READ, BLOCK_WRITE, BLOCK_FLUSH };

/* One transfer. Whoever submits it keeps it, and the memory at `data`, in place until done() was called. */
struct block_request {
    enum block_op op;
    uint64_t sector;
    uint32_t bytes; /* a multiple of SECTOR_SIZE; 0 for BLOCK_FLUSH */
    void *data;     /* in the direct map, in one physical piece */
    bool more;      /* others are submitted at once: the device need not be told before the last of them */
    int error;      /* once done: 0, -EIO, or -EROFS */
    /* Called from an interrupt, or by submit() itself: it must not wait. It may submit the next. */
    void (*done)(struct block_request *request);
    void *arg;        /* for done() */
    struct list link; /* the driver's: requests that wait for room in its ring */
};

struct block_device {
    char name[8];     /* "vda" */
    char serial[21];  /* as the device tells; may be empty */
    uint64_t sectors; /* its size */
    bool read_only;
    bool has_flush;     /* else its writes are durable when they are done */
    uint32_t bytes_max; /* of one request */
    uint32_t in_flight; /* requests that it can take at once; more wait in the driver */
    /* Begin a request. Never waits; from any thread or interrupt. The device was checked: the sectors are on
     * it. */
    void (*submit)(struct block_device *device, struct block_request *request);
    void *driver; /* the driver's own */
    /* The rest is the block layer's. */
    struct block_device *next;
    struct mutex lock; /* guards owner */
    const struct block_owner *owner;
    bool unflushed;        /* writes are done that no flush has covered yet */
    uint32_t write_errors; /* how many writes and flushes have failed */
};

/* Who orders the writes to a device: the file system that is mounted from it. */
struct block_owner {
    int (*sync)(void *arg); /* make everything durable that was written to the file system */
    void *arg;
};

/* Make the device known as /dev/<name>. Called by drivers at INIT_DRIVERS. Returns 0, -ENOMEM or -ENOSPC. */
int block_register(struct block_device *device);

/* The device behind a node of /dev, or NULL if it is no block device. */
struct vnode;
struct block_device *block_device_of(const struct vnode *node);

/* Become the owner; with NULL, end it. Returns 0, or -EBUSY if there is one already. */
int block_own(struct block_device *device, const struct block_owner *owner);

/* Make everything durable that was written to the device, by its owner if it has one. Returns 0 or -EIO. */
int block_sync(struct block_device *device);

/* Take back what the disks have done, as their interrupts do. If before_choice does so, the disks want
 * interrupts only while a CPU rests. */
void virtio_blk_look(void);

#endif
