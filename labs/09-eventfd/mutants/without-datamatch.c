/* In: hypervisor/virtio/eventfd.c. Caught by:
 * unit_eventfd.each_queue_gets_an_ioeventfd_when_the_device_starts. Mistake: a notification of any queue is
 * an event of the first. */
static int ioeventfd(struct events *e, unsigned queue, uint32_t flags)
{
    struct kvm_ioeventfd arg = {.datamatch = queue,
                                .addr = e->device->gpa + QUEUE_NOTIFY,
                                .len = 4,
                                .fd = e->notify[queue].fd,
                                .flags = flags};

    return ioctl(e->device->vm->fd, KVM_IOEVENTFD, &arg);
}
