/* In: guestos/drivers/virtio_event_idx.c. Caught by: unit_event_idx.no_interrupt_is_wanted_after_a_refusal.
 * Mistake: names the entry that is used next: the very one that was not wanted. */
static void refuse(struct virtqueue *queue)
{
    set_used_event(queue, queue->next_used);
}
