/* In: hypervisor/virtio/queue.c. Caught by: unit_device_ring.indices_go_on_beyond_65535. Mistake: counts used
 * entries modulo the ring: the index must count on to 65535. */
void virtq_push(struct virtio_device *v, unsigned queue, uint16_t head, size_t written)
{
    struct virtqueue *q = &v->state->queues[queue];
    struct used *used = used_ring(v, q);

    used->ring[q->next_used % q->size] = (struct used_elem){head, (uint32_t)written};
    q->next_used = (q->next_used + 1) % (2 * q->size);
    __atomic_store_n(&used->idx, q->next_used,
                     __ATOMIC_RELEASE); /* after the entry and the data in the buffers */
}
