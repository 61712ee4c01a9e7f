/* In: hypervisor/virtio/mmio.c. Caught by:
 * unit_virtio_mmio.what_is_left_after_an_acknowledgement_makes_a_new_edge. Mistake: only the newest reason is
 * in InterruptStatus. */
void virtio_interrupt(struct virtio_device *v, uint32_t reason)
{
    bool was_up = v->state->interrupts;

    v->state->interrupts = reason;
    if (!was_up) /* else the driver has yet to acknowledge, and looks everywhere after that */
        v->set_line(v, 1);
}
