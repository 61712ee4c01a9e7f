/* In: guestos/drivers/virtqueue.c. Caught by: unit_virtqueue.an_id_of_a_free_descriptor. Mistake: takes back
 * what the device was never given. */
void *virtqueue_take(struct virtqueue *queue, uint32_t *written)
{
    uint16_t count = waiting(queue), at = queue->next_used % queue->size;
    const char *wrong = NULL;

    if (count == 0 || queue->device->failure)
        return NULL;
    /* Read once: it can change while we look. */
    uint32_t id = __atomic_load_n(&queue->used->ring[at].id, __ATOMIC_RELAXED);
    uint32_t length = __atomic_load_n(&queue->used->ring[at].length, __ATOMIC_RELAXED);
    if (count > queue->in_flight)
        wrong = "says that it used more buffers than it was given";
    else if (id >= queue->size)
        wrong = "says that it used a buffer that it was not given";
    else if (length > queue->notes[id].writable)
        wrong = "says that it wrote more than there was room for";
    if (wrong) {
        virtio_fail(queue->device, wrong);
        return NULL;
    }
    void *token = queue->notes[id].token;
    give_back(queue, id);
    queue->next_used++;
    *written = length;
    return token;
}
