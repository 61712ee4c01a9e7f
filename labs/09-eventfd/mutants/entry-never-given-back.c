/* In: hypervisor/virtio/blk_uring.c. Caught by: unit_blk_uring.requests_end_in_any_order. Mistake: all
 * entries are given back as one. */
static void uring_reap(struct uring *u)
{
    struct io_uring_cqe *cqe;

    while (io_uring_peek_cqe(&u->ring, &cqe) == 0) {
        struct blk_request *r = io_uring_cqe_get_data(cqe);
        int result = cqe->res;
        uring_result(u, r, result);
        io_uring_cq_advance(&u->ring, io_uring_cq_ready(&u->ring));
    }
}
