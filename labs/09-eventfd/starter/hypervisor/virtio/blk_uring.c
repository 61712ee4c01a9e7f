/*
 * Fill an entry of the ring (io_uring_get_sqe(); there is always one) with a BLK_IN, BLK_OUT or BLK_FLUSH,
 * and let it carry `r`. r->disk->starter is the struct uring. Do not submit: uring_submit() does, once for
 * many. One more is in flight. A flush is durable when it ends. io_uring_prep_readv(3),
 * io_uring_prep_writev(3), io_uring_prep_fsync(3). Handout, section 4.4.
 */
static void uring_start(struct blk_request *r)
{
    (void)r;
    lab_todo(9, "uring_start", "handout section 4.4");
}

/*
 * The kernel has ended `r` with `result`: a number of bytes (0 for a flush) or -errno. One less is in flight.
 * -EINTR, -EAGAIN: start it again. A part of the bytes: start the rest, behind what is done (iov_skip()).
 * Nothing, though bytes are missing: -EIO. Only when there is no more to do: blk_done(), with 0 or -errno.
 * Handout, section 4.5.
 */
static void uring_result(struct uring *u, struct blk_request *r, int result)
{
    (void)u, (void)r, (void)result;
    lab_todo(9, "uring_result", "handout section 4.5");
}

/*
 * Take all results that are there (io_uring_peek_cqe()), give each entry back (io_uring_cqe_seen()) and then
 * hand it to uring_result(). Handout, section 4.5.
 */
static void uring_reap(struct uring *u)
{
    (void)u, (void)uring_result; /* yours to use */
    lab_todo(9, "uring_reap", "handout section 4.5");
}

/*
 * The ring's eventfd was written to: results are there (uring_reap()). If the device is running, then look at
 * its queue as after a notification: chains may wait for a request that is free now, and the driver is told.
 * If it is not, what was started again must be submitted all the same. Handout, section 4.6.
 */
static void uring_completed(struct watch *watch)
{
    (void)watch;
    lab_todo(9, "uring_completed", "handout section 4.6");
}

/*
 * Come back when nothing is in flight: submit what was started, wait (io_uring_wait_cqe()) and reap, and so
 * on. -EBADF: the ring is gone; there is nothing to wait for then. Virtio 1.2 §2.4.1. Handout, section 4.7.
 */
static void uring_drain(struct disk *disk)
{
    (void)disk, (void)uring_reap; /* yours to use */
    lab_todo(9, "uring_drain", "handout section 4.7");
}
