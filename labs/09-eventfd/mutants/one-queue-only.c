/* In: hypervisor/virtio/eventfd.c. Caught by:
 * unit_eventfd.each_queue_gets_an_ioeventfd_when_the_device_starts,
 * unit_eventfd.the_thread_watches_what_kvm_writes_to. Mistake: only the first queue has an event. */
static void events_running(struct virtio_device *v, bool running)
{
    struct events *e = v->events;

    for (unsigned i = 0; i < 1; i++) {
        if (running && ioeventfd(e, i, 0) == 0) {
            io_watch(&e->notify[i]);
        } else if (!running) {
            ioeventfd(e, i, KVM_IOEVENTFD_FLAG_DEASSIGN);
            io_unwatch(&e->notify[i]);
        }
    }
}
