/* In: hypervisor/virtio/queue.c. Caught by: unit_device_ring.no_interrupt_is_a_wish_that_counts. Mistake:
 * interrupts whatever the driver wishes. */
static bool wants_interrupt(struct virtio_device *v, const struct virtqueue *q)
{
    const struct avail *avail = avail_ring(v, q);

    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* our index is out before we read what the driver wishes */
    if (!virtio_has(v, VIRTIO_F_EVENT_IDX))
        return true;
    uint16_t event = __atomic_load_n(&avail->ring[q->size], __ATOMIC_RELAXED); /* used_event */
    return (uint16_t)(q->next_used - event - 1) < (uint16_t)(q->next_used - q->told_used);
}
