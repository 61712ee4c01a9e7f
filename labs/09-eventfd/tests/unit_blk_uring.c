/* Lab 9: requests to a disk by io_uring, which end when the test says so. */
/* sources: tests/unit/virtio_host.c tests/unit/watch_host.c tests/unit/uring_host.c hypervisor/bus.c */
/* sources: hypervisor/virtio/mmio.c hypervisor/virtio/queue.c hypervisor/virtio/blk.c */
/* sources: hypervisor/virtio/blk_uring.c */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>
#include "tests/support/expect.h"
#include "tests/unit/uring_host.h"
#include "tests/unit/virtio_host.h"
#include "tests/unit/watch_host.h"
#include "virtio/blk.h"

#define W        WINDOW(0)
#define SECTORS  64
#define PLACE(n) (0x8000u + (n)*0x2000u) /* of request n: header, status, data */
#define STATUS   0x100
#define DATA     0x1000
#define PENDING  0xdd

enum { OK, IOERR };

static struct test_queue q;
static struct disk *disk;
static char path[64];
static int fd;
static uint8_t content[SECTORS * 512];

static void note_disk(struct disk *d)
{
    disk = d;
}

static int begin(void **state)
{
    struct option *o = __start_features[0]->options;

    (void)state;
    fd = memfd_create("disk", 0);
    for (unsigned i = 0; i < sizeof content; i++)
        content[i] = (uint8_t)(i / 512 + i);
    assert_int_equal(write(fd, content, sizeof content), sizeof content);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    o->values[0] = path;
    o->count = 1;
    uring_new();
    watched_none();
    machine_new();
    blk_each(machine, note_disk);
    driver_begin(W, 1ul << 9 | VIRTIO_F_INDIRECT_DESC);
    q = driver_queue(W, 0, 32, false);
    driver_ready(W);
    return 0;
}

static int end(void **state)
{
    (void)state;
    machine_free();
    close(fd);
    return 0;
}

/* Offer request n: two buffers of half the bytes each. */
static void offer_request(unsigned n, uint32_t type, uint64_t sector, uint32_t bytes)
{
    const uint32_t header[2] = {type, 0};
    uint16_t head = (uint16_t)(4 * n), write = type == BLK_IN ? F_WRITE : 0;

    memcpy(ram + PLACE(n), header, 8);
    memcpy(ram + PLACE(n) + 8, &sector, 8);
    ram[PLACE(n) + STATUS] = PENDING;
    put_desc(&q, head, PLACE(n), 16, F_NEXT, (uint16_t)(head + (bytes ? 1 : 3)));
    put_desc(&q, head + 1u, PLACE(n) + DATA, bytes / 2, F_NEXT | write, (uint16_t)(head + 2));
    put_desc(&q, head + 2u, PLACE(n) + DATA + bytes / 2, bytes / 2, F_NEXT | write, (uint16_t)(head + 3));
    put_desc(&q, head + 3u, PLACE(n) + STATUS, 1, F_WRITE, 0);
    offer(&q, head);
}

/* Notify the device of it, too. */
static void request(unsigned n, uint32_t type, uint64_t sector, uint32_t bytes)
{
    offer_request(n, type, sector, bytes);
    notify_queue(&q);
}

static uint8_t *data(unsigned n)
{
    return ram + PLACE(n) + DATA;
}

/* How many used entries came since the last time; request `n` must be the last one. */
static unsigned used(unsigned n)
{
    uint32_t id = 4 * n, length;
    unsigned count = 0;

    while (take_used(&q, &id, &length))
        count++;
    expect_number(id, 4 * n, "The used entry names the chain that ended, by its head (virtio 1.2 §2.7.8).");
    return count;
}

/* The kernel says that something has ended. */
static void completed(void)
{
    watched_ready(0);
}

static void expect_status(unsigned n, uint8_t status, const char *lesson)
{
    expect_number(ram[PLACE(n) + STATUS], status, lesson);
}

static void expect_submitted(unsigned count)
{
    expect_number(uring_waiting_count, count,
                  "Requests that the kernel has: each one is filled into an entry of io_uring_get_sqe(), and "
                  "all are submitted once, "
                  "after the last.");
}

static void a_read_is_handed_to_the_kernel(void **state)
{
    (void)state;
    request(0, BLK_IN, 5, 1024);
    expect_submitted(1);
    const struct io_uring_sqe *sqe = &uring_waiting[0];
    expect_number(sqe->opcode, IORING_OP_READV, "VIRTIO_BLK_T_IN is a read, into several buffers: readv.");
    expect_number((uint64_t)sqe->fd, (uint64_t)disk->fd, "From the disk's file.");
    expect_number(sqe->off, 5 * 512, "At byte 5 * 512: the request's offset is in bytes already.");
    expect_number(sqe->len, 2, "The guest's buffers, of which there are two: r->iov and r->iov_count.");
    expect_true(((const struct iovec *)(uintptr_t)sqe->addr)->iov_base == data(0),
                "The first of them is where the driver said.");
}

static void a_write_is_handed_to_the_kernel(void **state)
{
    (void)state;
    memset(data(0), 0xa7, 1024);
    request(0, BLK_OUT, 62, 1024);
    expect_submitted(1);
    expect_number(uring_waiting[0].opcode, IORING_OP_WRITEV, "VIRTIO_BLK_T_OUT is a write: writev.");
    expect_number(uring_waiting[0].off, 62 * 512, "At the byte where sector 62 begins.");
    uring_end_well(0);
    completed();
    assert_int_equal(pread(fd, content, 1024, 62 * 512), 1024);
    expect_bytes(content, data(0), 1024, "The file has the guest's bytes.");
    expect_status(0, OK, "And the status says so.");
}

static void a_flush_is_an_fdatasync(void **state)
{
    (void)state;
    request(0, BLK_FLUSH, 0, 0);
    expect_submitted(1);
    expect_number(uring_waiting[0].opcode, IORING_OP_FSYNC,
                  "VIRTIO_BLK_T_FLUSH: what was written must be on the disk, not in a cache.");
    expect_number(uring_waiting[0].fsync_flags, IORING_FSYNC_DATASYNC,
                  "As fdatasync(2) does: the data, and no more than they need.");
    expect_number(used(0), 0, "It has not ended.");
    uring_end(0, 0);
    completed();
    expect_status(0, OK, "The kernel's result for a flush is 0; that is success.");
    expect_number(used(0), 1, "Only now the guest may know.");
}

static void nothing_is_told_before_it_is_true(void **state)
{
    (void)state;
    request(0, BLK_IN, 5, 1024);
    expect_number(used_index(&q), 0, "The kernel has not read anything yet: the chain is not used.");
    expect_status(0, PENDING, "And its status byte is as the driver left it.");
    completed(); /* an event of before */
    expect_number(used_index(&q), 0, "The event came, and no result: still nothing has ended.");
    uring_end_well(0);
    completed();
    expect_bytes(data(0), content + 5 * 512, 1024, "The data are in the guest's buffers.");
    expect_status(0, OK, "The read has ended well.");
    expect_number(used(0), 1, "The chain is used, once.");
    expect_number(reg(W, R_INTERRUPTS), 1,
                  "And the driver is told (blk_tell(), or type->notify(), which does).");
}

static void requests_end_in_any_order(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 4; n++)
        offer_request(n, BLK_IN, n, 512);
    notify_queue(&q);
    expect_submitted(4);
    uring_end_well(2);
    completed();
    expect_number(used(2), 1, "Only the third one has ended.");
    uring_end_well(0);
    uring_end_well(1);
    uring_end_well(0);
    completed();
    expect_number(used(1), 3, "Three results, one event: all that are there are taken.");
    for (unsigned n = 0; n < 4; n++)
        expect_bytes(data(n), content + 512 * n, 512, "Each request has the sectors that it asked for.");
}

static void what_the_kernel_did_in_part_goes_on(void **state)
{
    (void)state;
    uring_most = 200;
    request(0, BLK_IN, 7, 1024);
    for (unsigned i = 0; uring_waiting_count && i < 20; i++) {
        expect_number(used_index(&q), 0, "A part of the request was done: it has not ended.");
        uring_end_well(0);
        completed();
    }
    expect_bytes(data(0), content + 7 * 512, 1024,
                 "A read may move less than it was asked for. The rest is asked for again: behind the bytes "
                 "that are there, in the "
                 "buffers and in the file.");
    expect_status(0, OK, "Together all bytes were read.");
    expect_number(used(0), 1, "The request ended once.");
    expect_number(uring_carried_out, 6,
                  "200 of 512, 200, 112, and the same for the second buffer: six reads, and none too many.");
}

static void a_file_that_ends_too_early_is_an_error(void **state)
{
    (void)state;
    request(0, BLK_IN, 5, 1024);
    uring_end(0, 0);
    completed();
    expect_submitted(0);
    expect_status(0, IOERR,
                  "A read of 0 bytes: somebody made the file shorter. To ask again would never end.");
    expect_number(used(0), 1, "The request has ended, with an error.");
}

static void errors_of_the_host_are_errors_for_the_guest(void **state)
{
    static const uint32_t types[] = {BLK_IN, BLK_OUT, BLK_FLUSH};

    (void)state;
    for (unsigned n = 0; n < 3; n++) {
        request(n, types[n], 1, types[n] == BLK_FLUSH ? 0 : 512);
        uring_end(0, n == 1 ? -ENOSPC : -EIO);
        completed();
        expect_status(n, IOERR,
                      "A negative result is -errno: the status is VIRTIO_BLK_S_IOERR, for a flush, too.");
        expect_number(used(n), 1, "The request has ended.");
    }
}

static void what_was_interrupted_is_tried_again(void **state)
{
    (void)state;
    request(0, BLK_IN, 5, 1024);
    uring_end(0, -EINTR);
    completed();
    expect_submitted(1);
    uring_end(0, -EAGAIN);
    completed();
    expect_submitted(1);
    expect_number(used_index(&q), 0, "Interrupted is not failed: it was only submitted again.");
    uring_end_well(0);
    completed();
    expect_status(0, OK, "The third time it went well.");
}

static void a_reset_waits_for_what_was_begun(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 3; n++)
        offer_request(n, BLK_IN, n, 512);
    notify_queue(&q);
    set_reg(W, R_STATUS, 0);
    expect_submitted(0);
    expect_number(uring_carried_out, 3,
                  "A reset ends only when no request is in flight: after it the memory is the guest's, and "
                  "no late read may write "
                  "there (virtio 1.2 §2.4.1).");
    expect_number(used_index(&q), 0, "The rings of before are left alone.");
    driver_begin(W, 1ul << 9);
    q = driver_queue(W, 0, 32, false);
    driver_ready(W);
    request(0, BLK_IN, 5, 512);
    uring_end_well(0);
    completed();
    expect_status(0, OK, "The disk works again.");
    expect_number(used(0), 1, "And nothing is told that belongs to the time before.");
}

/* More chains than the device has requests wait in the ring until some end. */
static void chains_that_wait_are_taken_when_there_is_room(void **state)
{
    (void)state;
    struct blk_request *all = disk->free;
    disk->free = NULL;
    request(0, BLK_IN, 5, 512);
    expect_submitted(0);
    disk->free = all;
    struct blk_request *rest = all->next;
    all->next = NULL;
    request(1, BLK_IN, 6, 512);
    expect_submitted(1);
    all->next = NULL;
    uring_end_well(0);
    completed();
    expect_submitted(1);
    expect_status(0, OK, "The one request that is free was used for the chain that waited first.");
    uring_end_well(0);
    completed();
    expect_status(1, OK, "When it ended the next chain was taken: nobody else would look for it.");
    disk->free->next = rest;
}

static void there_is_room_for_as_many_disks_as_may_be_given(void **state)
{
    struct option *o = __start_features[0]->options;
    char paths[16][64];
    int fds[16];

    (void)state;
    machine_free();
    watched_none();
    for (unsigned i = 0; i < COUNT(fds); i++) {
        fds[i] = memfd_create("disk", 0);
        assert_int_equal(ftruncate(fds[i], 512), 0);
        snprintf(paths[i], sizeof paths[i], "/proc/self/fd/%d", fds[i]);
        o->values[i] = paths[i];
    }
    o->count = o->most;
    assert_int_equal(o->count, COUNT(fds));
    machine_new();
    assert_true(machine->state_count + 2 * COUNT(fds) < COUNT(machine->states)); /* and for their eventfds */
    for (unsigned i = 0; i < COUNT(fds); i++)
        close(fds[i]);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
    static const struct CMUnitTest tests[] = {
        TEST(a_read_is_handed_to_the_kernel),
        TEST(a_write_is_handed_to_the_kernel),
        TEST(a_flush_is_an_fdatasync),
        TEST(nothing_is_told_before_it_is_true),
        TEST(requests_end_in_any_order),
        TEST(what_the_kernel_did_in_part_goes_on),
        TEST(a_file_that_ends_too_early_is_an_error),
        TEST(errors_of_the_host_are_errors_for_the_guest),
        TEST(what_was_interrupted_is_tried_again),
        TEST(a_reset_waits_for_what_was_begun),
        TEST(chains_that_wait_are_taken_when_there_is_room),
        TEST(there_is_room_for_as_many_disks_as_may_be_given),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
