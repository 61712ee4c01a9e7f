/*
 * Is the entry among those from `before` up to, not including, `next`? All are positions, which wrap at
 * 65536. Virtio 1.2 §2.7.7.2. Handout, section 4.8.
 */
static bool passed(uint16_t entry, uint16_t before, uint16_t next)
{
    (void)entry, (void)before, (void)next;
    return (bool)lab_todo(9, "passed", "handout section 4.8");
}

/*
 * Want an interrupt when `count` more entries (at least 1) are used than next_used says: set_used_event().
 * Virtio 1.2 §2.7.7. Handout, section 4.8.
 */
static void want(struct virtqueue *queue, uint16_t count)
{
    (void)queue, (void)count;
    lab_todo(9, "want", "handout section 4.8");
}

/*
 * Want no interrupt: set_used_event() to an entry that the device does not reach for as long as possible.
 * Handout, section 4.8.
 */
static void refuse(struct virtqueue *queue)
{
    (void)queue, (void)set_used_event; /* yours to use */
    lab_todo(9, "refuse", "handout section 4.8");
}
