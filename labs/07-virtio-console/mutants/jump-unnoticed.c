/* In: hypervisor/virtio/queue.c. Caught by: unit_device_ring.an_index_that_jumps_breaks_the_device. Mistake:
 * believes any index; what lies in the ring from long ago is taken for new. */
static uint16_t chains_waiting(struct virtio_device *v, unsigned queue, const struct virtqueue *q)
{
    uint16_t idx =
        __atomic_load_n(&avail_ring(v, q)->idx, __ATOMIC_ACQUIRE); /* before the entries are read */
    uint16_t waiting = (uint16_t)(idx - q->next_avail);

    if (waiting <= q->size + UINT16_MAX)
        return waiting;
    virtio_broken(v, "queue %u: the available index jumped from %u to %u, over more than the %u entries",
                  queue, q->next_avail, idx, q->size);
    return 0;
}
