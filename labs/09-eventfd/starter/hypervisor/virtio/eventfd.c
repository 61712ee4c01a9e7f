/*
 * What v->set_line does with an irqfd. KVM turns each write to its eventfd into a whole pulse on the line; so
 * only level 1 is worth one. KVM API, "KVM_IRQFD"; eventfd(2). Handout, section 4.3.
 */
static void pulse_line(struct virtio_device *v, int level)
{
    (void)v, (void)level;
    lab_todo(9, "pulse_line", "handout section 4.3");
}

/*
 * The guest has notified the queue whose watch this is (e->notify[queue]); the thread calls with vm->lock
 * held and has read the eventfd. Do what a write to QueueNotify does: type->notify(), if the device is
 * running. Handout, section 4.2.
 */
static void notified(struct watch *watch)
{
    (void)watch;
    lab_todo(9, "notified", "handout section 4.2");
}

/*
 * Ask KVM to write to e->notify[queue].fd instead of an exit when the guest writes `queue`, as 4 bytes, to
 * QueueNotify of the device's window; or, by KVM_IOEVENTFD_FLAG_DEASSIGN in `flags`, not to do so any more.
 * Returns 0, or -1 if KVM refuses. KVM API, "KVM_IOEVENTFD"; virtio 1.2 §4.2.2. Handout, section 4.1.
 */
static int ioeventfd(struct events *e, unsigned queue, uint32_t flags)
{
    (void)e, (void)queue, (void)flags;
    lab_todo(9, "ioeventfd", "handout section 4.1");
    return -1;
}

/*
 * The device starts or stops `running` (v->running). For each of its queues: when it starts, ioeventfd() and,
 * if KVM agreed, io_watch(); when it stops, both are taken back. Handout, section 4.2.
 */
static void events_running(struct virtio_device *v, bool running)
{
    (void)v, (void)running;
    (void)ioeventfd, (void)notified; /* yours to use */
    lab_todo(9, "events_running", "handout section 4.2");
}
