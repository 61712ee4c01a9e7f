/* An io_uring in plain memory, behind the functions of liburing that are not inline. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <cmocka.h>
#include "tests/support/expect.h"
#include "tests/unit/uring_host.h"

struct io_uring_sqe uring_waiting[URING_MAX];
unsigned uring_waiting_count, uring_most, uring_carried_out;

static struct {
    struct io_uring_sqe sqes[URING_MAX];
    struct io_uring_cqe cqes[URING_MAX];
    unsigned sq_head, cq_head, cq_tail;
} shared;

void uring_new(void)
{
    memset(&shared, 0, sizeof shared);
    uring_waiting_count = uring_most = uring_carried_out = 0;
}

int io_uring_queue_init(unsigned entries, struct io_uring *ring, unsigned flags)
{
    assert_true(entries <= URING_MAX);
    memset(ring, 0, sizeof *ring);
    ring->flags = flags;
    ring->features = IORING_FEAT_EXT_ARG;
    ring->sq.khead = &shared.sq_head;
    ring->sq.sqes = shared.sqes;
    ring->sq.ring_entries = ring->cq.ring_entries = URING_MAX;
    ring->sq.ring_mask = ring->cq.ring_mask = URING_MAX - 1;
    ring->cq.khead = &shared.cq_head;
    ring->cq.ktail = &shared.cq_tail;
    ring->cq.cqes = shared.cqes;
    return 0;
}

int io_uring_submit(struct io_uring *ring)
{
    unsigned count = ring->sq.sqe_tail - shared.sq_head;

    for (unsigned i = 0; i < count; i++)
        uring_waiting[uring_waiting_count++] = shared.sqes[shared.sq_head++ % URING_MAX];
    return (int)count;
}

int io_uring_register_eventfd(struct io_uring *ring, int fd)
{
    (void)ring, (void)fd;
    return 0;
}

void io_uring_queue_exit(struct io_uring *ring)
{
    memset(ring, 0, sizeof *ring);
}

static void expect_waiting(unsigned n)
{
    expect_true(
        n < uring_waiting_count,
        "The kernel would end a request now, and has none: it was not filled into an entry of the ring, or "
        "not submitted.");
}

void uring_end(unsigned n, int result)
{
    expect_waiting(n);
    shared.cqes[shared.cq_tail++ % URING_MAX] =
        (struct io_uring_cqe){.user_data = uring_waiting[n].user_data, .res = result};
    uring_waiting_count--;
    memmove(&uring_waiting[n], &uring_waiting[n + 1], (uring_waiting_count - n) * sizeof *uring_waiting);
}

static ssize_t move(const struct io_uring_sqe *sqe)
{
    const struct iovec *iov = (const struct iovec *)(uintptr_t)sqe->addr;
    struct iovec part = {iov->iov_base, uring_most && uring_most < iov->iov_len ? uring_most : iov->iov_len};
    int count = uring_most ? 1 : (int)sqe->len;

    if (uring_most)
        iov = &part;
    if (sqe->opcode == IORING_OP_READV)
        return preadv(sqe->fd, iov, count, (off_t)sqe->off);
    return pwritev(sqe->fd, iov, count, (off_t)sqe->off);
}

void uring_end_well(unsigned n)
{
    expect_waiting(n);
    uring_carried_out++;
    uring_end(n, uring_waiting[n].opcode == IORING_OP_FSYNC ? 0 : (int)move(&uring_waiting[n]));
}

/* Wait for one to end: the first one does. */
int __io_uring_get_cqe(struct io_uring *ring, struct io_uring_cqe **cqe, unsigned submit, unsigned wait,
                       sigset_t *mask)
{
    (void)ring, (void)submit, (void)mask;
    if (wait == 0)
        return -EAGAIN;
    if (uring_waiting_count == 0)
        fail_msg("The disk waits for a request that was never submitted: that would be for ever.");
    uring_end_well(0);
    *cqe = &shared.cqes[shared.cq_head % URING_MAX];
    return 0;
}
