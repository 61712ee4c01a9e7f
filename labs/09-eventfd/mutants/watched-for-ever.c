/* In: hypervisor/virtio/eventfd.c. Caught by: unit_eventfd.a_reset_takes_the_eventfds_back. Mistake: the
 * thread goes on to watch a device that was reset. */
static void events_running(struct virtio_device *v, bool running)
{
    struct events *e = v->events;

    for (unsigned i = 0; i < v->type->queues; i++) {
        if (running && ioeventfd(e, i, 0) == 0) {
            io_watch(&e->notify[i]);
        } else if (!running) {
            ioeventfd(e, i, KVM_IOEVENTFD_FLAG_DEASSIGN);
        }
    }
}
