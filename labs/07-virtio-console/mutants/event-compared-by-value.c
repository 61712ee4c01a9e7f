/* In: hypervisor/virtio/queue.c. Caught by: unit_device_ring.event_idx_is_right_where_the_index_wraps.
 * Mistake: compares positions as if they never wrapped. */
static bool wants_interrupt(struct virtio_device *v, const struct virtqueue *q)
{
    const struct avail *avail = avail_ring(v, q);

    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* our index is out before we read what the driver wishes */
    if (!virtio_has(v, VIRTIO_F_EVENT_IDX))
        return !(__atomic_load_n(&avail->flags, __ATOMIC_RELAXED) & AVAIL_NO_INTERRUPT);
    uint16_t event = __atomic_load_n(&avail->ring[q->size], __ATOMIC_RELAXED); /* used_event */
    return event >= q->told_used && event < q->next_used;
}
