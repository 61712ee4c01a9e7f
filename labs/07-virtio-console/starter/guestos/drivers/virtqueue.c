/*
 * Describe buffer `buffer` of a chain for the device: its physical address and size, DESC_WRITE if the device
 * is to write it, and DESC_NEXT with `next`, unless it is the last. Virtio 1.2 §2.7.5. Handout, section 4.7.
 */
static void describe(struct virtq_descriptor *to, const struct virtqueue_buffer *buffer, bool write,
                     bool last, uint16_t next)
{
    (void)to, (void)buffer, (void)write, (void)last, (void)next;
    lab_todo(7, "describe", "handout section 4.7");
}

/*
 * Put `head` into the available ring at next_added, count it, and only then let the device see it by the
 * ring's index, with __ATOMIC_RELEASE. One more chain is in_flight. Virtio 1.2 §2.7.6, §2.7.13. Handout,
 * section 4.7.
 */
static void publish(struct virtqueue *queue, uint16_t head)
{
    (void)queue, (void)head;
    lab_todo(7, "publish", "handout section 4.7");
}

/*
 * virtqueue.h says what this does. Read the entry of the used ring once. These are wrong, and virtio_fail()
 * gives the device up with these words: "says that it used more buffers than it was given" (waiting() is more
 * than in_flight), "says that it used a buffer that it was not given", "says that it wrote more than there
 * was room for". give_back() frees the descriptors. Virtio 1.2 §2.7.8. Handout, section 4.8.
 */
void *virtqueue_take(struct virtqueue *queue, uint32_t *written)
{
    (void)queue, (void)written;
    (void)give_back, (void)waiting; /* yours to use */
    lab_todo(7, "virtqueue_take", "handout section 4.8");
    return NULL;
}
