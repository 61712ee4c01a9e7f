/* In: hypervisor/virtio/blk_uring.c. Caught by: unit_blk_uring.a_read_is_handed_to_the_kernel,
 * unit_blk_uring.a_write_is_handed_to_the_kernel. Mistake: IN is what comes in to the guest. */
static void uring_start(struct blk_request *r)
{
    struct uring *u = r->disk->starter;
    struct io_uring_sqe *sqe = io_uring_get_sqe(&u->ring); /* there are as many as requests: never NULL */

    if (r->type == BLK_FLUSH)
        io_uring_prep_fsync(sqe, r->disk->fd, IORING_FSYNC_DATASYNC);
    else if (r->type != BLK_IN)
        io_uring_prep_readv(sqe, r->disk->fd, r->iov, r->iov_count, r->offset);
    else
        io_uring_prep_writev(sqe, r->disk->fd, r->iov, r->iov_count, r->offset);
    io_uring_sqe_set_data(sqe, r);
    u->in_flight++;
}
