/* In: guestos/drivers/virtio_event_idx.c. Caught by: unit_event_idx.an_interrupt_is_wanted_after_so_many.
 * Mistake: a position is an index, not a number of entries. */
static void want(struct virtqueue *queue, uint16_t count)
{
    set_used_event(queue, queue->next_used + count);
}
