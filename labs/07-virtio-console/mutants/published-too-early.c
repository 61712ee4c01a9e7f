/* In: guestos/drivers/virtqueue.c. Caught by: unit_virtqueue.a_chain_is_whole_before_the_index_shows_it.
 * Mistake: the index is out before the entry: the barrier is missing. */
static void publish(struct virtqueue *queue, uint16_t head)
{
    queue->next_added++;
    __atomic_store_n(&queue->available->index, queue->next_added, __ATOMIC_RELEASE);
    queue->available->ring[(uint16_t)(queue->next_added - 1) % queue->size] = head;
    queue->in_flight++;
}
