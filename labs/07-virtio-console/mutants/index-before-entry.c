/* In: hypervisor/virtio/queue.c. Caught by: unit_device_ring.a_used_entry_is_whole_before_the_index_shows_it.
 * Mistake: the index is out before the entry that it shows: the barrier is missing. */
void virtq_push(struct virtio_device *v, unsigned queue, uint16_t head, size_t written)
{
    struct virtqueue *q = &v->state->queues[queue];
    struct used *used = used_ring(v, q);

    q->next_used++;
    __atomic_store_n(&used->idx, q->next_used,
                     __ATOMIC_RELEASE); /* after the entry and the data in the buffers */
    used->ring[(q->next_used - 1) % q->size] = (struct used_elem){head, (uint32_t)written};
}
