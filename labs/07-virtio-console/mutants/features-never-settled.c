/* In: hypervisor/virtio/mmio.c. Caught by: unit_virtio_mmio.features_are_settled_by_features_ok. Mistake: a
 * driver can change its mind while the device works. */
static void write_features(struct virtio_device *v, uint32_t value)
{
    struct virtio_state *s = v->state;
    unsigned shift = s->driver_features_select * 32;

    if (s->driver_features_select > 1)
        return; /* settled, or bits that do not exist yet */
    s->features = (s->features & ~(0xfffffffful << shift)) | (uint64_t)value << shift;
}
