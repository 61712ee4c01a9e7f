/* In: hypervisor/virtio/eventfd.c. Caught by: unit_eventfd.the_thread_watches_what_kvm_writes_to. Mistake:
 * nobody listens to what KVM writes to. */
static void events_running(struct virtio_device *v, bool running)
{
    struct events *e = v->events;

    for (unsigned i = 0; i < v->type->queues; i++) {
        if (running && ioeventfd(e, i, 0) == 0) {
            continue;
        } else if (!running) {
            ioeventfd(e, i, KVM_IOEVENTFD_FLAG_DEASSIGN);
            io_unwatch(&e->notify[i]);
        }
    }
}
