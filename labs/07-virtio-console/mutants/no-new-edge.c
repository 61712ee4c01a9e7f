/* In: hypervisor/virtio/mmio.c. Caught by:
 * unit_virtio_mmio.what_is_left_after_an_acknowledgement_makes_a_new_edge. Mistake: the line stays up when a
 * reason is left, and a guest that waits for an edge waits for ever. */
static void acknowledge(struct virtio_device *v, uint32_t reasons)
{
    v->state->interrupts &= ~reasons;
    v->set_line(v, v->state->interrupts != 0);
}
