/* In: hypervisor/virtio/eventfd.c. Caught by: unit_eventfd.an_event_that_comes_too_late_is_nothing. Mistake:
 * does not look whether the device was reset meanwhile. */
static void notified(struct watch *watch)
{
    struct events *e = watch->arg;

    e->device->type->notify(e->device, (unsigned)(watch - e->notify));
}
