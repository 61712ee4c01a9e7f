/* The entropy device (virtio 1.2 §5.4): random bytes from the host, for the kernel's own random numbers. */
#include "errno.h"
#include "heap.h"
#include "random.h"
#include "spinlock.h"
#include "string.h"
#include "virtqueue.h"

#define DEVICE_ID 4
#define BYTES     64 /* at a time: twice the key that they are stirred into */

static struct virtqueue *requests;
static struct spinlock lock; /* guards the queue and `asked` */
static uint8_t *bytes;
static bool asked; /* the device has the buffer */

static void ask(void)
{
    struct virtqueue_buffer buffer = {bytes, BYTES};

    spin_lock(&lock);
    if (!asked && virtqueue_add(requests, &buffer, 0, 1, bytes) == 0) {
        asked = true;
        virtqueue_kick(requests);
    }
    spin_unlock(&lock);
}

static void answered(struct virtqueue *queue)
{
    uint32_t written;

    spin_lock(&lock);
    do {
        if (virtqueue_take(queue, &written)) {
            random_add(bytes, written);
            memset(bytes, 0, BYTES); /* who reads memory later shall not find them */
            asked = false;
        }
    } while (virtqueue_listen(queue, 1));
    spin_unlock(&lock);
}

static int probe(struct virtio_device *device)
{
    if (requests)
        return -EEXIST; /* one is enough */
    bytes = kmalloc(BYTES);
    requests = bytes ? virtqueue_create(device, 0, answered) : NULL;
    if (!requests)
        return -ENOMEM;
    virtqueue_listen(requests, 1);
    virtio_ready(device);
    random_set_source(ask);
    return 0;
}

VIRTIO_DRIVER(rng, .name = "virtio-rng", .id = DEVICE_ID, .probe = probe);
