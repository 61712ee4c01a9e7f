/* In: hypervisor/virtio/queue.c. Caught by: unit_device_ring.event_idx_says_when_to_interrupt. Mistake: one
 * entry too late. */
static bool wants_interrupt(struct virtio_device *v, const struct virtqueue *q)
{
    const struct avail *avail = avail_ring(v, q);

    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* our index is out before we read what the driver wishes */
    if (!virtio_has(v, VIRTIO_F_EVENT_IDX))
        return !(__atomic_load_n(&avail->flags, __ATOMIC_RELAXED) & AVAIL_NO_INTERRUPT);
    uint16_t event = __atomic_load_n(&avail->ring[q->size], __ATOMIC_RELAXED); /* used_event */
    return (uint16_t)(q->next_used - event - 2) < (uint16_t)(q->next_used - q->told_used);
}
