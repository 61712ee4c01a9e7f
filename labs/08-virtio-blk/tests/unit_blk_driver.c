/* Moss's driver for virtio disks, against a simulated disk: one that works, and one that does not keep the
 * rules. */
/* sources: guestos/drivers/virtio_blk.c guestos/drivers/virtqueue.c tests/unit/moss_host.c */
#include <errno.h>
#include "tests/unit/moss_host.h"
#include "expect.h"
#include "guestos/include/block.h"
#include "guestos/include/clock.h"
#include "guestos/include/frames.h"
#include "guestos/include/virtqueue.h"

#define RAM       0x100000
#define DATA      0x80000 /* physical; below are rings and slots */
#define RING_SIZE 4
#define REQUESTS  20
#define SECTORS   1000

#define F_SIZE_MAX (1ul << 1)
#define F_RO       (1ul << 5)
#define F_FLUSH    (1ul << 9)

/* Types and status of requests (virtio 1.2 §5.2.6). */
#define GET_ID 8
#define OK     0
#define IOERR  1

extern const struct virtio_driver __start_virtio_drivers[];

static struct virtio_device device;
static struct virtqueue *queue;
static struct block_device *disk;
static struct block_request requests[REQUESTS];
static unsigned done_count, done_last;
static uint64_t ram_used, now;
static uint32_t size_max;
static unsigned notified;
static unsigned ring_size;
static unsigned wanted_after; /* the last wish: an interrupt after so many */
static bool answers;          /* the device takes each request when it is told of it */
static struct block_request *submit_when_done;
static bool rests;         /* some CPU */
static bool works_at_wish; /* the device ends a request in the moment when an interrupt is wished for */

void (*before_choice)(void); /* NULL: nobody looks without an interrupt */

/* --- the device --- */

static uint8_t store[SECTORS * SECTOR_SIZE];
static uint16_t position_available, position_used;

struct parts {
    uint16_t id;
    unsigned count;
    struct virtq_descriptor part[3];
};

static bool pop(struct parts *parts)
{
    if (queue->available->index == position_available)
        return false;
    parts->id = queue->available->ring[position_available++ % queue->size];
    const struct virtq_descriptor *head = &queue->descriptors[parts->id];
    parts->count = head->length / sizeof(*head);
    assert_in_range(parts->count, 2, 3);
    memcpy(parts->part, phys_to_virt(head->address), head->length);
    return true;
}

static void push(const struct parts *parts, uint8_t status, uint32_t written)
{
    *(uint8_t *)phys_to_virt(parts->part[parts->count - 1].address) = status;
    queue->used->ring[position_used % queue->size].id = parts->id;
    queue->used->ring[position_used % queue->size].length = written;
    queue->used->index = ++position_used;
}

/* Do what a request asks for. Returns the bytes written. */
static uint32_t carry_out(const struct parts *parts)
{
    const struct {
        uint32_t type, reserved;
        uint64_t sector;
    } *header = phys_to_virt(parts->part[0].address);
    const struct virtq_descriptor *data = &parts->part[1];

    if (header->type == GET_ID)
        strcpy(phys_to_virt(data->address), "serial 7");
    else if (header->type == 0)
        memcpy(phys_to_virt(data->address), store + header->sector * SECTOR_SIZE, data->length);
    else if (header->type == 1)
        memcpy(store + header->sector * SECTOR_SIZE, phys_to_virt(data->address), data->length);
    return (parts->count == 3 && header->type != 1 ? data->length : 0) + 1;
}

/* Carry out and answer the next request. Returns false if there is none. */
static bool work(void)
{
    struct parts parts;

    if (!pop(&parts))
        return false;
    push(&parts, OK, carry_out(&parts));
    return true;
}

static void interrupt(void)
{
    queue->interrupt(queue);
    assert_int_equal(moss_locks_held(), 0);
    if (device.failure && !device.failure_told) {
        device.failure_told = true;
        __start_virtio_drivers[0].failed(&device);
    }
}

/* --- the kernel around it --- */

void *kmalloc(size_t size)
{
    void *at = phys_to_virt(ram_used);

    ram_used += (size + 15) / 16 * 16;
    assert_true(ram_used <= DATA);
    return memset(at, 0, size);
}

void kfree(void *p)
{
    (void)p;
}

uint64_t frame_alloc_zero(void)
{
    ram_used = (ram_used + PAGE_SIZE - 1) / PAGE_SIZE * PAGE_SIZE;
    return virt_to_phys(kmalloc(PAGE_SIZE));
}

uint64_t clock_ns(void)
{
    return now += NS_PER_SECOND;
}

int format(char *to, size_t size, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    int n = vsnprintf(to, size, fmt, args);
    va_end(args);
    return n;
}

unsigned virtio_queue_size(struct virtio_device *d, unsigned number)
{
    (void)d;
    return number == 0 ? ring_size : 0;
}

void virtio_queue_enable(struct virtqueue *q)
{
    queue = q;
}

void virtio_ready(struct virtio_device *d)
{
    (void)d;
}

void virtio_notify(struct virtqueue *q)
{
    (void)q;
    notified++;
    while (answers && work())
        ;
}

void virtio_config_read(struct virtio_device *d, unsigned offset, unsigned width, unsigned count, void *to)
{
    static const uint64_t capacity = SECTORS;

    (void)d;
    assert_int_equal(width, 4);
    memcpy(to, offset == 0 ? (const void *)&capacity : &size_max, width * count);
}

void virtio_fail(struct virtio_device *d, const char *why)
{
    d->failure = why;
}

void virtio_tell_failure(struct virtio_device *d)
{
    (void)d;
}

bool some_cpu_rests(void)
{
    return rests;
}

int block_register(struct block_device *block)
{
    disk = block;
    return 0;
}

/* --- using it --- */

static void begin_with(uint64_t features)
{
    if (!ram_used) {
        moss_ram(RAM);
        ram_used = 16;
    }
    memset(&device, 0, sizeof device);
    device.features = features | VIRTIO_F_INDIRECT_DESC;
    position_available = position_used = 0;
    answers = true;
    size_max = 4096;
    disk = NULL;
    assert_int_equal(__start_virtio_drivers[0].probe(&device), 0);
    assert_non_null(disk);
    answers = false;
    notified = done_count = 0;
    submit_when_done = NULL;
    before_choice = NULL;
    works_at_wish = false;
}

static int begin(void **state)
{
    (void)state;
    ring_size = RING_SIZE;
    begin_with(F_FLUSH | F_SIZE_MAX);
    return 0;
}

static void done(struct block_request *request)
{
    struct block_request *next = submit_when_done;

    assert_int_equal(moss_locks_held(), 0);
    done_count++;
    done_last = request - requests;
    submit_when_done = NULL;
    if (next)
        disk->submit(disk, next);
}

/* Submit request i: one sector, at i. */
static struct block_request *prepare(unsigned i, enum block_op op)
{
    requests[i] = (struct block_request){.op = op,
                                         .sector = i,
                                         .bytes = op == BLOCK_FLUSH ? 0 : SECTOR_SIZE,
                                         .data = phys_to_virt(DATA + i * SECTOR_SIZE),
                                         .error = 77,
                                         .done = done};
    return &requests[i];
}

static void submit(unsigned i, enum block_op op)
{
    disk->submit(disk, prepare(i, op));
}

static void a_disk_is_found(void **state)
{
    (void)state;
    assert_int_equal(strncmp(disk->name, "vd", 2), 0);
    assert_string_equal(disk->serial, "serial 7");
    assert_int_equal(disk->sectors, SECTORS);
    assert_int_equal(disk->bytes_max, 4096);
    assert_int_equal(disk->in_flight, RING_SIZE);
    assert_true(disk->has_flush);
    assert_false(disk->read_only);
}

static void what_is_written_can_be_read(void **state)
{
    (void)state;
    submit(3, BLOCK_WRITE);
    memset(requests[3].data, 'x', SECTOR_SIZE);
    assert_true(work());
    interrupt();
    assert_int_equal(requests[3].error, 0);
    memset(requests[3].data, 0, SECTOR_SIZE);
    submit(3, BLOCK_READ);
    submit(4, BLOCK_FLUSH);
    while (work())
        ;
    interrupt();
    assert_int_equal(done_count, 3);
    assert_int_equal(requests[3].error, 0);
    assert_int_equal(requests[4].error, 0);
    assert_int_equal(((char *)requests[3].data)[511], 'x');
}

static void more_requests_than_fit_wait(void **state)
{
    (void)state;
    for (unsigned i = 0; i < REQUESTS; i++)
        submit(i, BLOCK_READ);
    assert_int_equal(queue->in_flight, RING_SIZE);
    for (unsigned rounds = 0; done_count < REQUESTS; rounds++) {
        assert_in_range(rounds, 0, REQUESTS);
        while (work())
            ;
        interrupt();
    }
    for (unsigned i = 0; i < REQUESTS; i++)
        assert_int_equal(requests[i].error, 0);
    assert_int_equal(queue->in_flight, 0);
}

static void one_notification_for_many(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        prepare(i, BLOCK_READ)->more = i < 3;
        disk->submit(disk, &requests[i]);
    }
    assert_int_equal(notified, 1);
    while (work())
        ;
    submit_when_done = prepare(4, BLOCK_READ);
    interrupt();
    assert_int_equal(notified, 2); /* one more, for what was submitted when a request ended */
    assert_int_equal(queue->in_flight, 1);
}

static bool always(const struct virtqueue *q)
{
    (void)q;
    return true;
}

static void note_want(struct virtqueue *q, uint16_t count)
{
    (void)q;
    wanted_after = count;
    if (works_at_wish)
        work();
}

static void note_refusal(struct virtqueue *q)
{
    (void)q;
    wanted_after = 0;
}

/* Wishes are noted from now on. */
static void begin_with_wishes(void)
{
    static const struct virtqueue_events events = {
        .feature = VIRTIO_F_EVENT_IDX, .device_wants = always, .want = note_want, .refuse = note_refusal};

    virtqueue_set_events(&events);
    ring_size = 16;
    begin_with(F_FLUSH | F_SIZE_MAX | VIRTIO_F_EVENT_IDX);
}

static void with_much_to_do_a_quarter_is_worth_an_interrupt(void **state)
{
    (void)state;
    begin_with_wishes();
    for (unsigned i = 0; i < 16; i++)
        submit(i, BLOCK_READ);
    work();
    interrupt();
    expect_number(wanted_after, 3,
                  "15 requests are with the device; a quarter of them makes the next interrupt.");
    while (queue->in_flight > 1) {
        work();
        interrupt();
    }
    expect_number(wanted_after, 1, "The last request is waited for, too: fewer than 4 ask for each.");
    work();
    interrupt();
    expect_number(done_count, 16, "All have ended.");
    expect_number(wanted_after, 1, "Whatever comes next is alone.");
}

static void only_a_cpu_that_rests_is_interrupted(void **state)
{
    (void)state;
    begin_with_wishes();
    before_choice = virtio_blk_look;
    for (unsigned i = 0; i < 4; i++)
        submit(i, BLOCK_READ);
    rests = false;
    virtio_blk_look();
    expect_number(wanted_after, 0,
                  "All CPUs have something to run, and each looks before it chooses what: no interrupt.");
    work();
    virtio_blk_look();
    expect_number(done_count, 1, "What the device has done is found by looking.");
    expect_number(wanted_after, 0, "And still no interrupt is wanted.");
    rests = true;
    virtio_blk_look();
    expect_number(wanted_after, 1, "A CPU will rest, and only an interrupt gets it out of that.");
    work();
    interrupt();
    expect_number(done_count, 2, "The interrupt tells of the next one.");
    expect_number(wanted_after, 1, "It may be the only thread that was waited for on another CPU: go on.");
    rests = false;
    virtio_blk_look();
    expect_number(wanted_after, 0, "Busy again.");
}

static void what_ends_before_the_wish_is_seen_is_found(void **state)
{
    (void)state;
    begin_with_wishes();
    before_choice = virtio_blk_look;
    rests = works_at_wish = true;
    for (unsigned i = 0; i < 3; i++)
        submit(i, BLOCK_READ);
    virtio_blk_look();
    expect_number(done_count, 3,
                  "After the last look and before the device sees the wish, a request ends: no interrupt "
                  "comes for it. Look once more after each wish (virtqueue_listen() returns true).");
}

/* What the header at the front of a chain says. */
struct header {
    uint32_t type, reserved;
    uint64_t sector;
};

static void expect_part(const struct virtq_descriptor *part, uint32_t length, bool for_device,
                        const char *lesson)
{
    expect_number(part->length, length, lesson);
    expect_number(part->flags & 2, for_device ? 2 : 0, lesson);
}

static void expect_header(const struct parts *parts, uint32_t type, uint64_t sector)
{
    const struct header *header = phys_to_virt(parts->part[0].address);

    expect_part(
        &parts->part[0], 16, false,
        "The first buffer is the header: 16 bytes (type, reserved, sector) that the device only reads, so "
        "without VIRTQ_DESC_F_WRITE (2) in its flags (virtio 1.2 §5.2.6).");
    expect_number(header->type, type, "type: VIRTIO_BLK_T_IN 0, _OUT 1, _FLUSH 4.");
    expect_number(header->sector, sector, "sector: where on the disk, in units of 512 bytes; 0 for a flush.");
}

static void a_read_is_a_header_a_buffer_and_a_status(void **state)
{
    struct parts parts;

    (void)state;
    submit(3, BLOCK_READ);
    expect_true(pop(&parts), "The request must be in the available ring.");
    expect_number(parts.count, 3,
                  "A read is a chain of three buffers: header, data, status (virtio 1.2 §5.2.6).");
    expect_header(&parts, 0, 3);
    expect_part(&parts.part[1], SECTOR_SIZE, true,
                "The second buffer is for the data, 512 bytes here, and the device WRITES it: a read of the "
                "disk is a "
                "write to memory, so its descriptor has VIRTQ_DESC_F_WRITE (2).");
    expect_number(parts.part[1].address, DATA + 3 * SECTOR_SIZE,
                  "The physical address of the request's data.");
    expect_part(&parts.part[2], 1, true, "The last buffer is the status: one byte, written by the device.");
}

static void a_write_is_read_by_the_device(void **state)
{
    struct parts parts;

    (void)state;
    submit(5, BLOCK_WRITE);
    expect_true(pop(&parts), "The request must be in the available ring.");
    expect_number(parts.count, 3, "A write is a chain of three buffers: header, data, status.");
    expect_header(&parts, 1, 5);
    expect_part(
        &parts.part[1], SECTOR_SIZE, false,
        "A write to the disk is read from memory: the data's descriptor has no VIRTQ_DESC_F_WRITE (2). What "
        "the "
        "device reads comes before what it writes, so header and data are `out`, and the status is `in`.");
    expect_part(&parts.part[2], 1, true, "The last buffer is the status: one byte, written by the device.");
}

static void a_flush_has_no_data(void **state)
{
    struct parts parts;

    (void)state;
    submit(4, BLOCK_FLUSH);
    expect_true(pop(&parts), "The request must be in the available ring.");
    expect_number(parts.count, 2, "A flush is a header and a status; without a buffer between them.");
    expect_header(&parts, 4, 0);
    expect_part(&parts.part[1], 1, true, "The last buffer is the status: one byte, written by the device.");
}

static void an_error_of_the_device_is_eio(void **state)
{
    struct parts parts;

    (void)state;
    submit(0, BLOCK_READ);
    assert_true(pop(&parts));
    push(&parts, IOERR, SECTOR_SIZE + 1);
    interrupt();
    expect_number(
        (uint64_t)requests[0].error, (uint64_t)-EIO,
        "The device's status is VIRTIO_BLK_S_IOERR: whoever asked must get -EIO, and not stale memory.");
}

static void a_read_that_fell_short_is_eio(void **state)
{
    struct parts parts;

    (void)state;
    submit(0, BLOCK_READ);
    assert_true(pop(&parts));
    push(&parts, OK, 100);
    interrupt();
    expect_number((uint64_t)requests[0].error, (uint64_t)-EIO,
                  "The used entry says that 100 bytes were written; the data and the status are 513. What "
                  "says OK there "
                  "may be older than this request, since the status lies behind the data.");
    expect_true(!device.failure, "That is an error of this request; the device may do better next time.");
    submit(1, BLOCK_WRITE);
    assert_true(pop(&parts));
    push(&parts, OK, 1);
    interrupt();
    expect_number((uint64_t)requests[1].error, 0,
                  "After a write the device has written the status only, 1 byte.");
}

static void a_read_only_disk_is_not_written(void **state)
{
    (void)state;
    begin_with(F_RO);
    assert_true(disk->read_only);
    submit(0, BLOCK_WRITE);
    assert_int_equal(done_count, 1);
    assert_int_equal(requests[0].error, -EROFS);
    assert_int_equal(queue->in_flight, 0);
}

static void without_the_feature_a_flush_is_done_at_once(void **state)
{
    (void)state;
    begin_with(0);
    submit(0, BLOCK_FLUSH);
    assert_int_equal(done_count, 1);
    assert_int_equal(requests[0].error, 0);
    assert_int_equal(queue->in_flight, 0);
}

static void a_broken_device_ends_all_requests(void **state)
{
    (void)state;
    for (unsigned i = 0; i < REQUESTS; i++)
        submit(i, BLOCK_WRITE);
    queue->used->ring[position_used % RING_SIZE].id = 1000;
    queue->used->index = ++position_used;
    interrupt();
    assert_non_null(device.failure);
    assert_int_equal(done_count, REQUESTS);
    for (unsigned i = 0; i < REQUESTS; i++)
        assert_int_equal(requests[i].error, -EIO);
    submit(0, BLOCK_READ); /* and later ones, too */
    assert_int_equal(requests[0].error, -EIO);
    assert_int_equal(done_count, REQUESTS + 1);
}

static void fail_by_interrupt(void)
{
    virtio_fail(&device, "says that it has failed and needs a reset");
    interrupt();
}

static void a_request_that_meets_the_failure_ends(void **state)
{
    (void)state;
    moss_before_lock = fail_by_interrupt;
    submit(0, BLOCK_READ);
    assert_true(device.failure_told);
    assert_int_equal(done_count, 1); /* nobody looks for it any more */
    assert_int_equal(requests[0].error, -EIO);
}

static void a_disk_that_does_not_answer_is_refused(void **state)
{
    (void)state;
    memset(&device, 0, sizeof device);
    device.features = VIRTIO_F_INDIRECT_DESC;
    disk = NULL;
    assert_int_equal(__start_virtio_drivers[0].probe(&device), -EIO);
    assert_null(disk);
}

static void segments_smaller_than_a_sector_are_refused(void **state)
{
    (void)state;
    memset(&device, 0, sizeof device);
    device.features = F_SIZE_MAX;
    size_max = SECTOR_SIZE - 1;
    assert_int_equal(__start_virtio_drivers[0].probe(&device), -EINVAL);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_disk_is_found),
        TEST(what_is_written_can_be_read),
        TEST(more_requests_than_fit_wait),
        TEST(one_notification_for_many),
        TEST(with_much_to_do_a_quarter_is_worth_an_interrupt),
        TEST(only_a_cpu_that_rests_is_interrupted),
        TEST(what_ends_before_the_wish_is_seen_is_found),
        TEST(a_read_is_a_header_a_buffer_and_a_status),
        TEST(a_write_is_read_by_the_device),
        TEST(a_flush_has_no_data),
        TEST(an_error_of_the_device_is_eio),
        TEST(a_read_that_fell_short_is_eio),
        TEST(a_read_only_disk_is_not_written),
        TEST(without_the_feature_a_flush_is_done_at_once),
        TEST(a_broken_device_ends_all_requests),
        TEST(a_request_that_meets_the_failure_ends),
        TEST(a_disk_that_does_not_answer_is_refused),
        TEST(segments_smaller_than_a_sector_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
