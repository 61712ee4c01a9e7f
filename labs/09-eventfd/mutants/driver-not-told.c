/* In: hypervisor/virtio/blk_uring.c. Caught by: unit_blk_uring.nothing_is_told_before_it_is_true. Mistake:
 * the used ring is filled, and the driver sleeps on. */
static void uring_completed(struct watch *watch)
{
    struct uring *u = watch->arg;
    struct virtio_device *v = &u->disk->device;

    uring_reap(u);
    if (!virtio_running(v))
        io_uring_submit(&u->ring);
}
