/* In: hypervisor/virtio/eventfd.c. Caught by: unit_eventfd.an_event_is_a_notification_of_its_queue. Mistake:
 * every event is taken for one of the first queue. */
static void notified(struct watch *watch)
{
    const struct events *e = watch->arg;

    if (virtio_running(e->device))
        e->device->type->notify(e->device, (unsigned)(watch - watch));
}
