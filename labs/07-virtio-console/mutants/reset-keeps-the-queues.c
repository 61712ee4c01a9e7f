/* In: hypervisor/virtio/mmio.c. Caught by: unit_virtio_mmio.a_reset_forgets_the_queues. Mistake: the rings of
 * the last driver stay in use after a reset. */
static void reset(struct virtio_device *v)
{
    struct virtio_state *s = v->state;
    bool ran = virtio_running(v);

    s->status = s->interrupts = 0;
    s->features = 0;
    s->device_features_select = s->driver_features_select = s->queue_select = 0;
    if (ran)
        stop(v);
    v->set_line(v, 0);
}
