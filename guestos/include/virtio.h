/* Virtio, the driver's side (virtio 1.2): devices, the drivers for them, and the queues between the two. */
#ifndef VIRTIO_H
#define VIRTIO_H

#include "types.h"

/* Feature bits that are not of one kind of device (virtio 1.2 §6). */
#define VIRTIO_F_INDIRECT_DESC (1ul << 28)
#define VIRTIO_F_EVENT_IDX     (1ul << 29)
#define VIRTIO_F_VERSION_1     (1ul << 32)

#define VIRTIO_QUEUES_MAX 8

struct virtqueue;
struct virtio_driver;

struct virtio_device {
    char name[40]; /* for people: "virtio-blk at 0xfeb00000" */
    const struct virtio_driver *driver;
    volatile char *registers;
    uint64_t features; /* those that both sides know */
    struct virtqueue *queues[VIRTIO_QUEUES_MAX];
    const char *failure; /* why it was given up; NULL: it works */
    bool failure_told;
    void *data; /* the driver's own */
};

/* A driver; it is found by the kind of device. */
struct virtio_driver {
    const char *name;
    uint32_t id;       /* virtio 1.2 §5 */
    uint64_t features; /* that it can use, besides those of the queues */
    /*
     * A device was found: make its queues, call virtio_ready(), use it. A negative errno gives it up. The
     * device keeps pointing at `device` and the queues, which stay for ever.
     */
    int (*probe)(struct virtio_device *device);
    void (*config_changed)(struct virtio_device *device); /* may be NULL */
    /* The device broke the rules and was stopped: none of the buffers that it has will come back. Called
     * once, with none of the driver's locks held. May be NULL. */
    void (*failed)(struct virtio_device *device);
};

#define VIRTIO_DRIVER(id, ...)                                                                               \
    static const struct virtio_driver virtio_driver_##id                                                     \
        __attribute__((used, section("virtio_drivers"), aligned(8))) = {__VA_ARGS__}

static inline bool virtio_has(const struct virtio_device *device, uint64_t feature)
{
    return device->features & feature;
}

/* The queues are made: the device may begin (§3.1.1, step 8). */
void virtio_ready(struct virtio_device *device);

/*
 * Read `count` neighbouring fields of `width` bytes (1, 2 or 4) from the device's configuration, all from the
 * same state of it (§2.5.1). A field of 8 bytes is two of 4.
 */
void virtio_config_read(struct virtio_device *device, unsigned offset, unsigned width, unsigned count,
                        void *to);

/* Write a field of 4 bytes. */
void virtio_config_write(struct virtio_device *device, unsigned offset, uint32_t value);

/*
 * The device does what it must not: stop it. `why` continues the sentence "the device ..." and stays valid.
 * Allowed in any context. Whoever calls anything that may end here calls virtio_tell_failure() when it has
 * let go of its locks; the interrupt handlers' caller does so by itself.
 */
void virtio_fail(struct virtio_device *device, const char *why);

/* If the device was given up and nobody has said so yet: tell its driver, and print why. */
void virtio_tell_failure(struct virtio_device *device);

#endif
