/* In: hypervisor/virtio/eventfd.c. Caught by: unit_eventfd.a_used_buffer_is_an_event_for_the_interrupt.
 * Mistake: the eventfd is written to when the line falls, not when it rises. */
static void pulse_line(struct virtio_device *v, int level)
{
    const struct events *e = v->events;

    if (!level)
        eventfd_write(e->irq_fd, 1);
}
