/* Lab 8: the disk device, request by request (virtio 1.2 §5.2), on a file in memory; and a million random
 * steps. */
/* sources: tests/unit/virtio_host.c hypervisor/bus.c hypervisor/virtio/mmio.c hypervisor/virtio/queue.c */
/* sources: hypervisor/virtio/blk.c */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "tests/unit/virtio_host.h"
#include "virtio/blk.h"

#define W       WINDOW(0)
#define HEADER  0x8000
#define STATUS  0x8100
#define DATA    0x9000
#define SECTORS 64
#define STEPS   1000000

static struct test_queue q;
static char path[64], option_text[128];
static int fd;
static uint8_t content[SECTORS * 512];

static void up(uint64_t features)
{
    driver_begin(W, features);
    q = driver_queue(W, 0, 16, false);
    driver_ready(W);
    complaints = 0;
}

static void attach_disk(const char *words)
{
    struct option *o = __start_features[0]->options;

    snprintf(option_text, sizeof option_text, "%s%s", path, words);
    o->values[0] = option_text;
    o->count = 1;
    machine_new();
    up(1ul << 9 | VIRTIO_F_INDIRECT_DESC);
}

static void new_file(off_t size)
{
    fd = memfd_create("disk", 0);
    assert_int_equal(ftruncate(fd, size), 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
}

static int begin(void **state)
{
    (void)state;
    new_file(sizeof content);
    for (unsigned i = 0; i < sizeof content; i++)
        content[i] = (uint8_t)(i / 512 + i);
    assert_int_equal(pwrite(fd, content, sizeof content, 0), sizeof content);
    attach_disk("");
    return 0;
}

static int end(void **state)
{
    (void)state;
    machine_free();
    close(fd);
    return 0;
}

static void put_header(uint32_t type, uint64_t sector)
{
    const uint32_t header[2] = {type, 0};

    memcpy(ram + HEADER, header, 8);
    memcpy(ram + HEADER + 8, &sector, 8);
}

/* Carry out one request with a buffer of `bytes` at DATA. Returns its status; 0xee: it did not come back. */
static uint8_t request(uint32_t type, uint64_t sector, uint32_t bytes)
{
    bool reads = type == BLK_IN || type == BLK_GET_ID;
    uint32_t id, len;

    put_header(type, sector);
    ram[STATUS] = 0xdd;
    put_desc(&q, 0, HEADER, 16, F_NEXT, bytes ? 1 : 2);
    put_desc(&q, 1, DATA, bytes, F_NEXT | (reads ? F_WRITE : 0), 2);
    put_desc(&q, 2, STATUS, 1, F_WRITE, 0);
    offer(&q, 0);
    notify_queue(&q);
    if (!take_used(&q, &id, &len))
        return 0xee;
    assert_int_equal(id, 0);
    assert_int_equal(len, 1 + (reads ? bytes : 0));
    return ram[STATUS];
}

static void a_sector_is_read(void **state)
{
    (void)state;
    assert_int_equal(request(BLK_IN, 5, 512), 0);
    assert_memory_equal(ram + DATA, content + 5 * 512, 512);
    assert_int_equal(reg(W, R_INTERRUPTS), 1);
}

static void sectors_are_written(void **state)
{
    uint8_t got[1024];

    (void)state;
    memset(ram + DATA, 0xa7, 1024);
    assert_int_equal(request(BLK_OUT, 62, 1024), 0);
    assert_int_equal(pread(fd, got, 1024, 62 * 512), 1024);
    assert_memory_equal(got, ram + DATA, 1024);
}

static void the_last_sector_is_the_last(void **state)
{
    (void)state;
    assert_int_equal(request(BLK_IN, SECTORS - 1, 512), 0);
    assert_int_equal(request(BLK_IN, SECTORS - 1, 1024), 1);
    assert_int_equal(request(BLK_IN, SECTORS, 512), 1);
    assert_int_equal(request(BLK_OUT, SECTORS, 512), 1);
    assert_int_equal(request(BLK_IN, UINT64_MAX, 512), 1);
    assert_int_equal(request(BLK_IN, UINT64_MAX / 512, 512), 1);
    assert_int_equal(request(BLK_IN, 1ul << 55, 512), 1);
    assert_int_equal(complaints, 0);
}

static void parts_of_sectors_are_refused(void **state)
{
    (void)state;
    assert_int_equal(request(BLK_IN, 0, 511), 1);
    assert_int_equal(request(BLK_OUT, 0, 513), 1);
}

static void flush_and_identity(void **state)
{
    (void)state;
    assert_int_equal(request(BLK_FLUSH, 0, 0), 0);
    assert_int_equal(request(BLK_GET_ID, 0, 20), 0);
    assert_memory_equal(ram + DATA, "terrarium-vda\0\0\0\0\0\0\0", 20);
}

static void unknown_requests_are_unsupported(void **state)
{
    (void)state;
    assert_int_equal(request(2, 0, 512), 2);
    assert_int_equal(request(0xffffffff, 0, 0), 2);
}

static void the_configuration_tells_the_size(void **state)
{
    (void)state;
    assert_int_equal(reg(W, R_CONFIG), SECTORS);
    assert_int_equal(reg(W, R_CONFIG + 12), BLK_SEGMENTS_MAX);
    assert_int_equal(reg(W, R_CONFIG + 20), 512);
}

static uint8_t discard(uint32_t type, uint64_t sector, uint32_t sectors)
{
    const uint32_t rest[2] = {sectors, 0};

    memcpy(ram + DATA, &sector, 8);
    memcpy(ram + DATA + 8, rest, 8);
    return request(type, 0, 16);
}

static void zeroes_are_written(void **state)
{
    static const uint8_t zeroes[1024];
    uint8_t got[4 * 512];

    (void)state;
    assert_int_equal(discard(BLK_WRITE_ZEROES, 3, 2), 0);
    assert_int_equal(pread(fd, got, sizeof got, 2 * 512), sizeof got);
    assert_memory_equal(got, content + 2 * 512, 512);
    assert_memory_equal(got + 512, zeroes, 1024);
    assert_memory_equal(got + 1536, content + 5 * 512, 512);
    assert_int_equal(discard(BLK_DISCARD, 10, 1), 0);
    assert_int_equal(discard(BLK_WRITE_ZEROES, 63, 2), 1);
    assert_int_equal(discard(BLK_DISCARD, UINT64_MAX, 1), 1);
    assert_int_equal(discard(BLK_DISCARD, 0, 0), 1);
    assert_int_equal(request(BLK_DISCARD, 0, 15), 1);
}

/* How a request is cut into buffers is the driver's business (§2.7.4). */
static void buffers_may_be_cut_anywhere(void **state)
{
    uint32_t id, len;

    (void)state;
    put_header(BLK_IN, 7);
    put_desc(&q, 0, HEADER, 7, F_NEXT, 1);
    put_desc(&q, 1, HEADER + 7, 9, F_NEXT, 2);
    put_desc(&q, 2, DATA, 100, F_NEXT | F_WRITE, 3);
    put_desc(&q, 3, DATA + 100, 413, F_WRITE, 0); /* the rest of the sector, and the status */
    offer(&q, 0);
    notify_queue(&q);
    assert_true(take_used(&q, &id, &len));
    assert_int_equal(len, 513);
    assert_memory_equal(ram + DATA, content + 7 * 512, 512);
    assert_int_equal(ram[DATA + 512], 0);
}

static void requests_without_header_or_status_break_the_device(void **state)
{
    (void)state;
    put_desc(&q, 0, HEADER, 16, 0, 0);
    offer(&q, 0);
    notify_queue(&q);
    assert_non_null(strstr(complaint, "no header or no status"));
    assert_int_equal(reg(W, R_STATUS) & 64, 64);
    up(0);
    put_desc(&q, 0, HEADER, 15, F_NEXT, 1);
    put_desc(&q, 1, STATUS, 1, F_WRITE, 0);
    offer(&q, 0);
    notify_queue(&q);
    assert_int_equal(reg(W, R_STATUS) & 64, 64);
    up(0);
    assert_int_equal(request(BLK_IN, 0, 512), 0);
}

static void a_disk_that_shrinks_gives_errors(void **state)
{
    (void)state;
    assert_int_equal(ftruncate(fd, 1000), 0);
    assert_int_equal(request(BLK_IN, 0, 512), 0);
    assert_int_equal(request(BLK_IN, 1, 512), 1);
    assert_int_equal(request(BLK_IN, 5, 512), 1);
}

static void a_read_only_disk_stays_as_it_is(void **state)
{
    uint8_t got[512];

    (void)state;
    machine_free();
    attach_disk(",ro,serial=abc");
    set_reg(W, R_DEVICE_FEATURES_SEL, 0);
    assert_int_equal(reg(W, R_DEVICE_FEATURES) & (1 << 5 | 1 << 13 | 1 << 14), 1 << 5);
    memset(ram + DATA, 0, 512);
    assert_int_equal(request(BLK_OUT, 0, 512), 1);
    assert_int_equal(discard(BLK_WRITE_ZEROES, 0, 1), 1);
    assert_int_equal(pread(fd, got, 512, 0), 512);
    assert_memory_equal(got, content, 512);
    assert_int_equal(request(BLK_GET_ID, 0, 20), 0);
    assert_string_equal((char *)ram + DATA, "abc");
}

/* What the host says to a bad option or file. */
static void expect_refused(const char *words, const char *part)
{
    struct vm vm = {0};
    struct option *o = __start_features[0]->options;

    snprintf(option_text, sizeof option_text, "%s%s", path, words);
    o->values[0] = option_text;
    o->count = 1;
    assert_true(__start_features[0]->attach(&vm) < 0);
    if (!strstr(complaint, part))
        fail_msg("expected \"%s\" in \"%s\"", part, complaint);
    for (unsigned i = 0; i < vm.state_count; i++)
        free(vm.states[i].state);
}

static void bad_files_are_refused_with_the_way_out(void **state)
{
    int odd, old = fd;

    (void)state;
    expect_refused(",rw", "'rw' is neither 'ro' nor");
    expect_refused(",serial=123456789012345678901", "at most 20 characters");
    expect_refused("", "another program uses it");
    expect_refused(",ro", "another program uses it");
    new_file(1000001);
    odd = fd;
    expect_refused("", "size 1000001 is not a multiple of 512");
    assert_int_equal(ftruncate(odd, 0), 0);
    expect_refused("", "size 0 is not");
    close(odd);
    strcpy(path, "/nowhere/disk.img");
    expect_refused("", "No such file or directory; make disks with scripts/mkdisk");
    strcpy(path, "/dev/null");
    expect_refused("", "neither a file nor a block device");
    fd = old;
}

static uint32_t seed = 99;

static uint32_t any(uint32_t below)
{
    seed = seed * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)(seed >> 4) * below >> 28);
}

/* A request that is nearly right. */
static void almost_request(void)
{
    uint16_t first = (uint16_t)any(16), second = (uint16_t)any(16), third = (uint16_t)any(16);

    put_header(any(14), any(SECTORS + 1));
    put_desc(&q, first, HEADER, 16, F_NEXT, second);
    put_desc(&q, second, DATA, 512 * any(5), F_NEXT | (any(2) ? F_WRITE : 0), third);
    put_desc(&q, third, STATUS, 1, any(8) ? F_WRITE : 0, 0);
    offer(&q, first);
    notify_queue(&q);
}

static void any_step(void)
{
    uint16_t flags = (uint16_t)(any(4) ? F_NEXT | (any(2) ? F_WRITE : 0) : any(8));

    switch (any(14)) {
    case 0:
        ram[4096 + any(3072)] = (uint8_t)any(256);
        break;
    case 1:
        set_reg(W, any(0x200), any(16));
        break;
    case 2:
        put_header(any(16), any(8) ? any(SECTORS + 4) : (uint64_t)any(1u << 28) << any(36));
        break;
    case 3:
        put_desc_at(0xa000, any(16), any(RAM_SIZE), any(2048), flags, (uint16_t)any(16));
        break;
    case 4 ... 7:
        put_desc(&q, any(16), any(3) ? DATA + any(4096) : any(RAM_SIZE + 512),
                 any(8) ? 512 * any(4) + any(3) : any(1u << 28), flags, (uint16_t)any(16));
        break;
    case 8:
        put_desc(&q, any(16), 0xa000, 16 * any(18), F_INDIRECT, 0);
        break;
    case 9:
        put_desc(&q, any(16), any(2) ? HEADER : STATUS, any(2) ? 16 : 1, flags, (uint16_t)any(16));
        break;
    case 10:
    case 11:
        offer(&q, (uint16_t)any(16));
        notify_queue(&q);
        break;
    default:
        almost_request();
    }
}

static void a_million_random_steps_do_no_harm(void **state)
{
    unsigned broken = 0, worked = 0;

    (void)state;
    for (unsigned i = 0; i < STEPS; i++) {
        any_step();
        if (i % 50)
            continue;
        broken += reg(W, R_STATUS) >> 6 & 1;
        worked += used_index(&q) != 0;
        up(VIRTIO_F_INDIRECT_DESC);
        assert_int_equal(request(BLK_IN, any(SECTORS), 512), 0);
        memset(ram + 4096, 0, 3072);
        up(VIRTIO_F_INDIRECT_DESC);
    }
    assert_true(broken > 1000); /* both happened often: the test tests something */
    assert_true(worked > 200);
    assert_int_equal(lseek(fd, 0, SEEK_END), sizeof content);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
    static const struct CMUnitTest tests[] = {
        TEST(a_sector_is_read),
        TEST(sectors_are_written),
        TEST(the_last_sector_is_the_last),
        TEST(parts_of_sectors_are_refused),
        TEST(flush_and_identity),
        TEST(unknown_requests_are_unsupported),
        TEST(the_configuration_tells_the_size),
        TEST(zeroes_are_written),
        TEST(buffers_may_be_cut_anywhere),
        TEST(requests_without_header_or_status_break_the_device),
        TEST(a_disk_that_shrinks_gives_errors),
        TEST(a_read_only_disk_stays_as_it_is),
        TEST(bad_files_are_refused_with_the_way_out),
        TEST(a_million_random_steps_do_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
