/* In: hypervisor/virtio/blk_uring.c. Caught by: unit_blk_uring.chains_that_wait_are_taken_when_there_is_room.
 * Mistake: nobody looks at the chains for which there was no room. */
static void uring_completed(struct watch *watch)
{
    struct uring *u = watch->arg;
    struct virtio_device *v = &u->disk->device;

    uring_reap(u);
    if (virtio_running(v))
        blk_tell(u->disk); /* chains may wait for a free request; this tells the guest, too */
    else
        io_uring_submit(&u->ring);
}
