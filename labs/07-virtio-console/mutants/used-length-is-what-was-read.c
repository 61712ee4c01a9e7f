/* In: hypervisor/virtio/queue.c. Caught by: unit_device_ring.one_buffer_is_printed_and_given_back,
 * unit_device_ring.typed_bytes_fill_a_buffer. Mistake: the used length is wrong. */
void virtq_push(struct virtio_device *v, unsigned queue, uint16_t head, size_t written)
{
    struct virtqueue *q = &v->state->queues[queue];
    struct used *used = used_ring(v, q);

    used->ring[q->next_used % q->size] = (struct used_elem){head, (uint32_t)written + 1};
    q->next_used++;
    __atomic_store_n(&used->idx, q->next_used,
                     __ATOMIC_RELEASE); /* after the entry and the data in the buffers */
}
