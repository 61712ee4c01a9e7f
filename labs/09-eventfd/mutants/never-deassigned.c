/* In: hypervisor/virtio/eventfd.c. Caught by: unit_eventfd.a_reset_takes_the_eventfds_back. Mistake: the flag
 * that takes it back is forgotten. */
static int ioeventfd(struct events *e, unsigned queue, uint32_t flags)
{
    (void)flags;
    struct kvm_ioeventfd arg = {.datamatch = queue,
                                .addr = e->device->gpa + QUEUE_NOTIFY,
                                .len = 4,
                                .fd = e->notify[queue].fd,
                                .flags = KVM_IOEVENTFD_FLAG_DATAMATCH};

    return ioctl(e->device->vm->fd, KVM_IOEVENTFD, &arg);
}
