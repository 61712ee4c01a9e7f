/*
 * How many chains has the driver made available that were not taken yet (next_avail)? Its index wraps at
 * 2^16. If that is more than the queue has entries, break the device (virtio_broken(), in words like "the
 * available index jumped from 0 to 9") and return 0. No entry of the ring may be read before the index: load
 * it with __ATOMIC_ACQUIRE. Virtio 1.2 §2.7.6, §2.7.13. Handout, section 4.3.
 */
static uint16_t chains_waiting(struct virtio_device *v, unsigned queue, const struct virtqueue *q)
{
    (void)v, (void)queue, (void)q;
    lab_todo(7, "chains_waiting", "handout section 4.3");
    return 0;
}

/*
 * Add the buffer that the descriptor names to chain->out (the device reads it) or chain->in (it writes it;
 * DESC_WRITE), and its size to out_bytes or in_bytes. Returns what is wrong with it ("is empty", "is not in
 * RAM", "is for reading, behind one for writing"), or NULL. Virtio 1.2 §2.7.4.2, §2.7.5. Handout,
 * section 4.4.
 */
static const char *add_buffer(struct virtio_device *v, struct chain *chain, const struct desc *d)
{
    (void)v, (void)chain, (void)d;
    lab_todo(7, "add_buffer", "handout section 4.4");
    return "is not looked at (add_buffer() is yours to write)";
}

/*
 * Go over to the table that the indirect descriptor names: set descs->table, size, left (its number of
 * entries: 1 ... VIRTIO_QUEUE_SIZE_MAX) and indirect. Returns what is wrong with it, or NULL: "is indirect,
 * which was not negotiated", "is indirect in an indirect table", "is indirect and has a next one", "names an
 * indirect table of a bad size", "names an indirect table outside RAM". Virtio 1.2 §2.7.5.3. Handout, section
 * 4.4.
 */
static const char *enter_table(struct virtio_device *v, struct descs *descs, const struct desc *d)
{
    (void)v, (void)descs, (void)d;
    lab_todo(7, "enter_table", "handout section 4.4");
    return "is not looked at (enter_table() is yours to write)";
}

/*
 * Follow the chain from descriptor `index` of descs->table on: copy each descriptor to *d (once: the guest
 * may change it), then add_buffer() it, or enter_table() where DESC_INDIRECT is set, and go on at entry 0
 * there. Without DESC_NEXT the chain ends. A chain has at most descs->left descriptors. Returns what is wrong
 * with *d, "names a next one beyond the table", "closes a loop", or NULL. Virtio 1.2 §2.7.5. Handout,
 * section 4.4.
 */
static const char *walk_chain(struct virtio_device *v, struct descs *descs, struct chain *chain,
                              unsigned index, struct desc *d)
{
    (void)v, (void)descs, (void)chain, (void)index, (void)d;
    (void)add_buffer, (void)enter_table; /* yours to use */
    lab_todo(7, "walk_chain", "handout section 4.4");
    return "is not looked at (walk_chain() is yours to write)";
}

/*
 * Give the chain that begins at `head` back: fill the used ring's entry next_used, and then let the driver
 * see it by the ring's index, with __ATOMIC_RELEASE. Virtio 1.2 §2.7.8, §2.7.14. Handout, section 4.6.
 */
void virtq_push(struct virtio_device *v, unsigned queue, uint16_t head, size_t written)
{
    (void)v, (void)queue, (void)head, (void)written;
    lab_todo(7, "virtq_push", "handout section 4.6");
}

/*
 * Does the driver want an interrupt for the used entries from told_used up to, not including, next_used?
 * Without EVENT_IDX, unless the available ring's flags have AVAIL_NO_INTERRUPT. With it, if the entry that
 * used_event names (behind the available ring's entries) is among them; all these numbers wrap at 2^16. What
 * we wrote before must be visible to the driver before we look (__ATOMIC_SEQ_CST). Virtio 1.2 §2.7.7.
 * Handout, section 4.6.
 */
static bool wants_interrupt(struct virtio_device *v, const struct virtqueue *q)
{
    (void)v, (void)q;
    lab_todo(7, "wants_interrupt", "handout section 4.6");
    return false;
}
