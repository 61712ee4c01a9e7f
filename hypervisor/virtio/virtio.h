/* Virtio devices (OASIS virtio 1.2): the register window that they share, their queues, and what each brings.
 */
#ifndef VIRTIO_H
#define VIRTIO_H

#include <sys/uio.h>
#include "../feature.h"

#define VIRTIO_QUEUES_MAX     2
#define VIRTIO_QUEUE_SIZE_MAX 128 /* descriptors; also the longest chain, as §2.7.5.3.1 has it */

/* Device status (§2.1). */
#define VIRTIO_STATUS_ACKNOWLEDGE 1u
#define VIRTIO_STATUS_DRIVER      2u
#define VIRTIO_STATUS_DRIVER_OK   4u
#define VIRTIO_STATUS_FEATURES_OK 8u
#define VIRTIO_STATUS_NEEDS_RESET 64u
#define VIRTIO_STATUS_FAILED      128u

/* Features of all devices (§6). */
#define VIRTIO_F_INDIRECT_DESC (1ul << 28)
#define VIRTIO_F_EVENT_IDX     (1ul << 29)
#define VIRTIO_F_VERSION_1     (1ul << 32)

/* Reasons for an interrupt (§4.2.2, InterruptStatus). */
#define VIRTIO_INTERRUPT_QUEUE  1u
#define VIRTIO_INTERRUPT_CONFIG 2u

/* A queue as the driver set it up, and how far the device has come. Plain bytes: it is saved with the VM. */
struct virtqueue {
    uint64_t desc, avail, used; /* guest-physical addresses of the three parts (§2.7) */
    uint16_t size;              /* a power of 2 */
    uint16_t next_avail;        /* the next entry of the available ring that we take (it wraps at 2^16) */
    uint16_t next_used;         /* the next entry of the used ring that we fill */
    uint16_t told_used;         /* next_used when the driver was last told */
    uint8_t ready;
};

/* What a device remembers of its driver. Plain bytes: it is saved with the VM. */
struct virtio_state {
    uint64_t features; /* that the driver accepted */
    uint32_t status, interrupts, generation;
    uint32_t device_features_select, driver_features_select, queue_select;
    struct virtqueue queues[VIRTIO_QUEUES_MAX];
    uint8_t config[64]; /* the device's own registers (§4.2.2, offset 0x100); little-endian */
};

struct virtio_device;

/* A kind of device. The functions are called with vm->lock held and may be NULL. */
struct virtio_type {
    uint32_t id; /* §5 */
    unsigned queues;
    size_t config_size;                                      /* bytes of state->config in use */
    void (*notify)(struct virtio_device *v, unsigned queue); /* the driver made buffers available */
    void (*started)(struct virtio_device *v);                /* DRIVER_OK */
    void (*stopped)(struct virtio_device *v);                /* reset, or broken: forget all buffers */
    void (*config_write)(struct virtio_device *v, uint64_t offset, unsigned size, uint64_t value);
};

/* Set name, type, vm, features and dev, then call virtio_attach(). The rest is the transport's. */
struct virtio_device {
    const char *name; /* in messages and in --stats */
    const struct virtio_type *type;
    struct vm *vm;
    uint64_t features; /* offered, beside those of all devices */
    void *dev;         /* the device's own: what is not plain bytes */

    struct virtio_state *state;
    uint64_t gpa;    /* of its registers */
    unsigned line;   /* of its interrupt */
    unsigned faults; /* of the driver, so far */
    unsigned run; /* counts resets: what was begun in an earlier run must not touch the rings of this one */

    /* How the interrupt line is set, and who else wants to know that the device starts and stops (may be
     * NULL). Another file may put its own here. */
    void (*set_line)(struct virtio_device *v, int level);
    void (*running)(struct virtio_device *v, bool running);
    void *events; /* its own */
};

/* ---- The register window (mmio.c) ---- */

/* Give the device state, registers, an interrupt line and, for a kernel, words on its command line. Returns 0
 * or -errno after a complain(). */
int virtio_attach(struct virtio_device *v);

/* Call fn for each device of the VM, in the order of their addresses. */
void virtio_each(struct vm *vm, void (*fn)(struct virtio_device *v));

bool virtio_running(const struct virtio_device *v);
bool virtio_has(const struct virtio_device *v, uint64_t feature);

/* The device changed its configuration: the driver must read it again. */
void virtio_config_changed(struct virtio_device *v);

/* The driver broke the rules, as the message says: nothing more is done for it until it resets the device
 * (§2.1.2). */
void virtio_broken(struct virtio_device *v, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Interrupt the guest for one of VIRTIO_INTERRUPT_xxx. */
void virtio_interrupt(struct virtio_device *v, uint32_t reason);

/* ---- Queues (queue.c) ---- */

/* The buffers of one chain of descriptors, checked: all of them are in RAM. */
struct chain {
    uint16_t head; /* names the chain to the driver */
    unsigned out_count, in_count;
    size_t out_bytes, in_bytes;
    struct iovec out[VIRTIO_QUEUE_SIZE_MAX]; /* for the device to read, */
    struct iovec in[VIRTIO_QUEUE_SIZE_MAX];  /* and to write */
};

/* Whether the three parts of the queue are aligned and in RAM, and its size allowed. */
bool virtq_valid(struct vm *vm, const struct virtqueue *q);

/* Is there a chain to take? Asks the driver to notify us of the next one if not. Broken rings have none, and
 * neither has a machine that stops. */
bool virtq_pending(struct virtio_device *v, unsigned queue);

/* Take the next chain. Returns whether there was one; a chain that breaks the rules breaks the device. */
bool virtq_pop(struct virtio_device *v, unsigned queue, struct chain *chain);

/* Give a chain back, with the number of bytes written to it (§2.7.8). The driver is told by virtq_tell(). */
void virtq_push(struct virtio_device *v, unsigned queue, uint16_t head, size_t written);

/* Interrupt the driver if chains were given back since the last time, and it wants to know. */
void virtq_tell(struct virtio_device *v, unsigned queue);

/* Copy between `data` and the front of the buffers, and cut that off. Returns the number of bytes copied. */
size_t iov_take(struct iovec **iov, unsigned *count, void *data, size_t size);
size_t iov_give(struct iovec **iov, unsigned *count, const void *data, size_t size);
void iov_skip(struct iovec **iov, unsigned *count, size_t size);

#endif
