/* Split virtqueues, the driver's side (virtio 1.2 §2.7). Whoever uses a queue guards it by a lock of their
 * own. */
#ifndef VIRTQUEUE_H
#define VIRTQUEUE_H

#include "virtio.h"

#define VIRTQUEUE_SIZE_MAX 256 /* so that its descriptors fit a frame */

/* A piece of memory that the device reads or writes: in the direct map, in one physical piece. */
struct virtqueue_buffer {
    void *at;
    uint32_t size;
};

/* As the device sees them (§2.7.5, §2.7.6, §2.7.8); little-endian, as we are. */
struct virtq_descriptor {
    uint64_t address;
    uint32_t length;
    uint16_t flags, next;
};

struct virtq_available {
    uint16_t flags, index, ring[];
};

struct virtq_used {
    uint16_t flags, index;
    struct {
        uint32_t id, length;
    } ring[];
};

/* Our own note about a descriptor: what the device cannot change. */
struct virtqueue_note {
    void *token;       /* of the chain that begins here; NULL: none does */
    uint32_t writable; /* bytes of that chain that the device may write */
    uint16_t next;     /* in the chain, or in the list of free ones */
    uint16_t length;   /* descriptors in that chain */
};

struct virtqueue {
    struct virtio_device *device;
    uint16_t number, size;
    struct virtq_descriptor *descriptors;
    struct virtq_available *available;
    struct virtq_used *used;
    struct virtqueue_note *notes;
    struct virtq_descriptor **tables; /* one for each descriptor, if the device knows indirect ones */
    uint16_t free_first, free_count;
    uint16_t in_flight;  /* chains that the device has */
    uint16_t next_added; /* these positions only grow, and wrap */
    uint16_t next_used;
    uint16_t told_until; /* the device was told, or did not want to be, of what was added before */
    const struct virtqueue_events *events;
    void (*interrupt)(struct virtqueue *queue); /* buffers may have been used; may be NULL */
};

/*
 * How the two sides keep each other from sending notifications that nobody needs. Without EVENT_IDX by the
 * flags of the rings (§2.7.7, §2.7.10).
 */
struct virtqueue_events {
    uint64_t feature;                                      /* with which the device agrees to it */
    bool (*device_wants)(const struct virtqueue *queue);   /* be told of what was added since told_until */
    void (*want)(struct virtqueue *queue, uint16_t count); /* an interrupt when `count` more are used */
    void (*refuse)(struct virtqueue *queue);
};

/* Have queues use another way from now on, with devices that agree. */
void virtqueue_set_events(const struct virtqueue_events *events);

/* The feature bits that queues can use. */
uint64_t virtqueue_features(void);

/* Make the device's queue `number`, at most VIRTQUEUE_SIZE_MAX long. At first it wants no interrupts. NULL:
 * no memory, or the device has no such queue. */
struct virtqueue *virtqueue_create(struct virtio_device *device, unsigned number,
                                   void (*interrupt)(struct virtqueue *queue));

/*
 * Give the device `out` buffers to read and then `in` buffers to write, as one chain. `token` (not NULL)
 * comes back when it has used them. Returns 0, -ENOSPC if the ring has no room now, or -EIO if the device was
 * given up. The device need not notice before virtqueue_kick().
 */
int virtqueue_add(struct virtqueue *queue, const struct virtqueue_buffer *buffers, unsigned out, unsigned in,
                  void *token);

/* Tell the device of what was added, if it wants to be told. */
void virtqueue_kick(struct virtqueue *queue);

/*
 * Take back a chain that the device has used. Returns its token, with the number of bytes that the device
 * says it wrote (never more than there was room for), or NULL if there is none. A device whose used ring
 * makes no sense is given up (virtio_fail).
 */
void *virtqueue_take(struct virtqueue *queue, uint32_t *written);

/* Want no interrupts. One may still come. */
void virtqueue_quiet(struct virtqueue *queue);

/* Want an interrupt when `count` more chains (at least 1) are used, or earlier. Returns true if they are
 * already, for which none may come. */
bool virtqueue_listen(struct virtqueue *queue, uint16_t count);

/* The transport's part: the largest size that the device allows, 0 if it has no such queue; let the queue
 * work; tell the device that buffers were added. */
unsigned virtio_queue_size(struct virtio_device *device, unsigned number);
void virtio_queue_enable(struct virtqueue *queue);
void virtio_notify(struct virtqueue *queue);

#endif
