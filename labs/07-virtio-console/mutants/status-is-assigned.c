/* In: hypervisor/virtio/mmio.c. Caught by: unit_virtio_mmio.status_bits_go_only_by_a_reset. Mistake: the
 * driver can clear bits of Status. */
static void write_status(struct virtio_device *v, uint32_t value)
{
    struct virtio_state *s = v->state;
    uint32_t fresh = value & ~s->status;

    if (value == 0) {
        reset(v);
        return;
    }
    s->status &= value;
    s->status |= fresh & (VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER | VIRTIO_STATUS_FAILED);
    if (fresh & VIRTIO_STATUS_FEATURES_OK && s->features & VIRTIO_F_VERSION_1 && !(s->features & ~offered(v)))
        s->status |=
            VIRTIO_STATUS_FEATURES_OK; /* else it stays off: that is how the driver learns of our no */
    if (!(fresh & VIRTIO_STATUS_DRIVER_OK))
        return;
    if (!(s->status & VIRTIO_STATUS_FEATURES_OK)) {
        virtio_broken(v, "DRIVER_OK before FEATURES_OK (status 0x%x)", s->status);
        return;
    }
    s->status |= VIRTIO_STATUS_DRIVER_OK;
    if (!virtio_running(v)) /* it broke before: nothing starts, so that the reset has nothing to stop */
        return;
    if (v->running)
        v->running(v, true);
    if (v->type->started)
        v->type->started(v);
}
