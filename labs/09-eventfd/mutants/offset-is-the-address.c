/* In: hypervisor/virtio/eventfd.c. Caught by:
 * unit_eventfd.each_queue_gets_an_ioeventfd_when_the_device_starts. Mistake: an offset in the window is no
 * guest-physical address. */
static int ioeventfd(struct events *e, unsigned queue, uint32_t flags)
{
    struct kvm_ioeventfd arg = {.datamatch = queue,
                                .addr = QUEUE_NOTIFY,
                                .len = 4,
                                .fd = e->notify[queue].fd,
                                .flags = KVM_IOEVENTFD_FLAG_DATAMATCH | flags};

    return ioctl(e->device->vm->fd, KVM_IOEVENTFD, &arg);
}
