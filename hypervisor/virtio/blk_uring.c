/* Disks that nobody waits for: requests go to the kernel through io_uring, many at a time, and are told to
 * the guest as they end (io_uring_setup(2), liburing). */
#include <liburing.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "blk.h"
#include "io_thread.h"

/* A disk's ring. */
struct uring {
    struct io_uring ring;
    struct disk *disk;
    struct watch completed;
    unsigned in_flight;
};

static void uring_start(struct blk_request *r)
{
    struct uring *u = r->disk->starter;
    struct io_uring_sqe *sqe = io_uring_get_sqe(&u->ring); /* there are as many as requests: never NULL */

    if (r->type == BLK_FLUSH)
        io_uring_prep_fsync(sqe, r->disk->fd, IORING_FSYNC_DATASYNC);
    else if (r->type == BLK_IN)
        io_uring_prep_readv(sqe, r->disk->fd, r->iov, r->iov_count, r->offset);
    else
        io_uring_prep_writev(sqe, r->disk->fd, r->iov, r->iov_count, r->offset);
    io_uring_sqe_set_data(sqe, r);
    u->in_flight++;
}

static void uring_submit(struct disk *disk)
{
    io_uring_submit(&((struct uring *)disk->starter)->ring);
}

/* A request has come back from the kernel: it is done, or only a part of it is. */
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
        blk_done(r, result < 0 ? result : result == 0 && r->type != BLK_FLUSH && r->iov_count > 0 ? -EIO : 0);
}

static void uring_reap(struct uring *u)
{
    struct io_uring_cqe *cqe;

    while (io_uring_peek_cqe(&u->ring, &cqe) == 0) {
        struct blk_request *r = io_uring_cqe_get_data(cqe);
        int result = cqe->res;
        io_uring_cqe_seen(&u->ring, cqe);
        uring_result(u, r, result);
    }
}

static void uring_completed(struct watch *watch)
{
    struct uring *u = watch->arg;
    struct virtio_device *v = &u->disk->device;

    uring_reap(u);
    if (virtio_running(v))
        v->type->notify(v, 0); /* chains may wait for a free request; this tells the guest, too */
    else
        io_uring_submit(&u->ring);
}

static void uring_drain(struct disk *disk)
{
    struct uring *u = disk->starter;
    struct io_uring_cqe *cqe;

    io_uring_submit(&u->ring);
    while (u->in_flight > 0 && io_uring_wait_cqe(&u->ring, &cqe) != -EBADF) {
        uring_reap(u);
        io_uring_submit(&u->ring);
    }
}

/* Where the kernel has no io_uring for us, the disk goes on as it was: the I/O thread waits for it. */
static void use_uring(struct disk *disk)
{
    struct uring *u = vm_new_device(disk->device.vm, sizeof *u);

    if (!u || io_uring_queue_init(VIRTIO_QUEUE_SIZE_MAX, &u->ring, 0) < 0)
        return;
    u->disk = disk;
    u->completed =
        (struct watch){eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), uring_completed, disk->device.vm, u};
    disk->starter = u;
    if (io_uring_register_eventfd(&u->ring, u->completed.fd) < 0 || io_watch(&u->completed) < 0)
        return;
    disk->start = uring_start;
    disk->submit = uring_submit;
    disk->drain = uring_drain;
}

static int uring_attach(struct vm *vm)
{
    blk_each(vm, use_uring);
    return 0;
}

static void close_uring(struct disk *disk)
{
    struct uring *u = disk->starter;

    if (!u)
        return;
    uring_drain(disk);
    io_uring_queue_exit(&u->ring);
    close(u->completed.fd);
}

static void uring_ended(struct vm *vm)
{
    blk_each(vm, close_uring);
}

FEATURE(blk_uring) = {
    .name = "blk-uring",
    .lab = 9,
    .help = "disks by io_uring, many requests at a time",
    .attach = uring_attach,
    .ended = uring_ended,
};
