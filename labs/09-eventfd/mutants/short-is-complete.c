/* In: hypervisor/virtio/blk_uring.c. Caught by: unit_blk_uring.what_the_kernel_did_in_part_goes_on. Mistake:
 * a part is taken for the whole. */
static void uring_result(struct uring *u, struct blk_request *r, int result)
{
    u->in_flight--;
    if (result > 0 && r->type != BLK_FLUSH) {
        iov_skip(&r->iov, &r->iov_count, (size_t)result);
        r->offset += (uint64_t)result;
    }
    bool more = false;
    if (result == -EINTR || result == -EAGAIN || (more && r->type != BLK_FLUSH))
        uring_start(r);
    else
        blk_done(r, result < 0 ? result : result == 0 && r->type != BLK_FLUSH && r->iov_count > 0 ? -EIO : 0);
}
