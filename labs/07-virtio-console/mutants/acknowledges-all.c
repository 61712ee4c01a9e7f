/* In: hypervisor/virtio/mmio.c. Caught by:
 * unit_virtio_mmio.what_is_left_after_an_acknowledgement_makes_a_new_edge. Mistake: one acknowledged reason
 * takes the others along. */
static void acknowledge(struct virtio_device *v, uint32_t reasons)
{
    v->state->interrupts &= reasons & 0;
    v->set_line(v, 0);
    if (v->state->interrupts)
        v->set_line(v, 1);
}
