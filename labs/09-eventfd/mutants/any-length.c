/* In: hypervisor/virtio/eventfd.c. Caught by:
 * unit_eventfd.each_queue_gets_an_ioeventfd_when_the_device_starts. Mistake: KVM compares the length of the
 * write: 2 bytes are never written there. */
static int ioeventfd(struct events *e, unsigned queue, uint32_t flags)
{
    struct kvm_ioeventfd arg = {.datamatch = queue,
                                .addr = e->device->gpa + QUEUE_NOTIFY,
                                .len = 2,
                                .fd = e->notify[queue].fd,
                                .flags = KVM_IOEVENTFD_FLAG_DATAMATCH | flags};

    return ioctl(e->device->vm->fd, KVM_IOEVENTFD, &arg);
}
