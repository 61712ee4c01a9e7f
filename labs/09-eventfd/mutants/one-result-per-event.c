/* In: hypervisor/virtio/blk_uring.c. Caught by: unit_blk_uring.requests_end_in_any_order. Mistake: takes one
 * result for each event; several may have come before it is read. */
static void uring_reap(struct uring *u)
{
    struct io_uring_cqe *cqe;

    if (io_uring_peek_cqe(&u->ring, &cqe) == 0) {
        struct blk_request *r = io_uring_cqe_get_data(cqe);
        int result = cqe->res;
        io_uring_cqe_seen(&u->ring, cqe);
        uring_result(u, r, result);
    }
}
