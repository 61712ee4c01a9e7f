/* In: guestos/drivers/virtqueue.c. Caught by: unit_virtqueue.a_chain_arrives_as_it_was_given. Mistake: the
 * chain has no end. */
static void describe(struct virtq_descriptor *to, const struct virtqueue_buffer *buffer, bool write,
                     bool last, uint16_t next)
{
    *to = (struct virtq_descriptor){
        .address = virt_to_phys(buffer->at),
        .length = buffer->size,
        .flags = (write ? DESC_WRITE : 0) | DESC_NEXT,
        .next = last ? 0 : next,
    };
}
