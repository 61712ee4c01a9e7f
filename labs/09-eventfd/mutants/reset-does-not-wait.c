/* In: hypervisor/virtio/blk_uring.c. Caught by: unit_blk_uring.a_reset_waits_for_what_was_begun. Mistake: a
 * read that ends after the reset writes to memory that is the guest's again. */
static void uring_drain(struct disk *disk)
{
    struct uring *u = disk->starter;
    struct io_uring_cqe *cqe;

    io_uring_submit(&u->ring);
    while (u->in_flight > VIRTIO_QUEUE_SIZE_MAX && io_uring_wait_cqe(&u->ring, &cqe) != -EBADF) {
        uring_reap(u);
        io_uring_submit(&u->ring);
    }
}
