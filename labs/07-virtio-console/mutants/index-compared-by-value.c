/* In: hypervisor/virtio/queue.c. Caught by: unit_device_ring.indices_go_on_beyond_65535. Mistake: takes the
 * index for a number that only grows; it wraps. */
static uint16_t chains_waiting(struct virtio_device *v, unsigned queue, const struct virtqueue *q)
{
    uint16_t idx =
        __atomic_load_n(&avail_ring(v, q)->idx, __ATOMIC_ACQUIRE); /* before the entries are read */
    uint16_t waiting = idx > q->next_avail ? (uint16_t)(idx - q->next_avail) : 0;

    if (waiting <= q->size)
        return waiting;
    virtio_broken(v, "queue %u: the available index jumped from %u to %u, over more than the %u entries",
                  queue, q->next_avail, idx, q->size);
    return 0;
}
