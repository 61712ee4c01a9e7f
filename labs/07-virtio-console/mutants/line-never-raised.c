/* In: hypervisor/virtio/mmio.c. Caught by: unit_virtio_mmio.the_size_of_the_window_is_in_the_configuration,
 * unit_device_ring.all_that_was_offered_is_taken_with_one_notification. Mistake: the line is raised only when
 * it is up already. */
void virtio_interrupt(struct virtio_device *v, uint32_t reason)
{
    bool was_up = v->state->interrupts;

    v->state->interrupts |= reason;
    if (was_up) /* else the driver has yet to acknowledge, and looks everywhere after that */
        v->set_line(v, 1);
}
