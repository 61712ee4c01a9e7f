/* In: hypervisor/virtio/mmio.c. Caught by: unit_virtio_mmio.a_reset_forgets_the_queues. Mistake: asks whether
 * the device was running when the status is 0 already, so nothing is ever stopped. */
static void reset(struct virtio_device *v)
{
    struct virtio_state *s = v->state;
    s->status = s->interrupts = 0;
    s->features = 0;
    bool ran = virtio_running(v);
    s->device_features_select = s->driver_features_select = s->queue_select = 0;
    memset(s->queues, 0, sizeof s->queues);
    if (ran)
        stop(v);
    v->set_line(v, 0);
}
