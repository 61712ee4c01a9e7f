/* In: hypervisor/virtio/mmio.c. Caught by: unit_virtio_mmio.the_size_of_the_window_is_in_the_configuration.
 * Mistake: the driver's acknowledgement is not taken out of InterruptStatus. */
static void acknowledge(struct virtio_device *v, uint32_t reasons)
{
    (void)reasons;
    v->set_line(v, 0);
    if (v->state->interrupts)
        v->set_line(v, 1);
}
