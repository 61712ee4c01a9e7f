/* In: hypervisor/virtio/mmio.c. Caught by: unit_virtio_mmio.the_steps_of_a_driver_are_accepted. Mistake: the
 * second half overwrites the first one, and VERSION_1 is never accepted. */
static void write_features(struct virtio_device *v, uint32_t value)
{
    struct virtio_state *s = v->state;
    unsigned shift = s->driver_features_select * 32;

    if (s->status & VIRTIO_STATUS_FEATURES_OK || s->driver_features_select > 1)
        return; /* settled, or bits that do not exist yet */
    s->features = (s->features & ~(0xfffffffful << shift)) | value;
}
