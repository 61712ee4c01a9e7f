/*
 * Notifications by position (virtio 1.2 §2.7.7, §2.7.10): behind its ring each side writes at which entry of
 * the other ring it wants to be told next, instead of a flag for all or none. Queues use it with every device
 * that can.
 */
#include "init.h"
#include "virtqueue.h"

/* Written by the device: the entry of the available ring after which it wants to be told. */
static uint16_t available_event(const struct virtqueue *queue)
{
    return __atomic_load_n((const uint16_t *)&queue->used->ring[queue->size], __ATOMIC_RELAXED);
}

/* Written by us: the entry of the used ring after which we want an interrupt. */
static void set_used_event(struct virtqueue *queue, uint16_t position)
{
    __atomic_store_n(&queue->available->ring[queue->size], position, __ATOMIC_RELAXED);
}

/* Is the entry among those from `before` up to, not including, `next`? All of them wrap at 65536. */
static bool passed(uint16_t entry, uint16_t before, uint16_t next)
{
    return (uint16_t)(next - entry - 1) < (uint16_t)(next - before);
}

static bool device_wants(const struct virtqueue *queue)
{
    return passed(available_event(queue), queue->told_until, queue->next_added);
}

static void want(struct virtqueue *queue, uint16_t count)
{
    set_used_event(queue, queue->next_used + count - 1);
}

/* The entry that was taken last: the device does not reach it again before 65535 others. */
static void refuse(struct virtqueue *queue)
{
    set_used_event(queue, queue->next_used - 1);
}

static void event_idx_init(void)
{
    static const struct virtqueue_events events = {
        .feature = VIRTIO_F_EVENT_IDX, .device_wants = device_wants, .want = want, .refuse = refuse};

    virtqueue_set_events(&events);
}

INIT(INIT_IRQ, event_idx_init); /* before any device is looked at */
