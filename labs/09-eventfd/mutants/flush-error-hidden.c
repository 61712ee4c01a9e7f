/* In: hypervisor/virtio/blk_uring.c. Caught by: unit_blk_uring.errors_of_the_host_are_errors_for_the_guest.
 * Mistake: a flush that failed is told as one that did not. */
static void uring_result(struct uring *u, struct blk_request *r, int result)
{
    u->in_flight--;
    if (result > 0 && r->type != BLK_FLUSH) {
        iov_skip(&r->iov, &r->iov_count, (size_t)result);
        r->offset += (uint64_t)result;
    }
    bool more = result > 0 && r->iov_count > 0;
    if (result == -EINTR || result == -EAGAIN || (more && r->type != BLK_FLUSH))
        uring_start(r);
    else
        blk_done(r, result < 0 && r->type != BLK_FLUSH                        ? result
                    : result == 0 && r->type != BLK_FLUSH && r->iov_count > 0 ? -EIO
                                                                              : 0);
}
