/* In: hypervisor/virtio/eventfd.c. Caught by: unit_eventfd.an_acknowledgement_is_no_interrupt. Mistake: the
 * falling line is an interrupt, too. */
static void pulse_line(struct virtio_device *v, int level)
{
    const struct events *e = v->events;

    if (level || !level)
        eventfd_write(e->irq_fd, 1);
}
