/* Lab 8: the disk device, request by request (virtio 1.2 §5.2), on a file in memory; and a million random
 * steps. */
/* sources: tests/unit/virtio_host.c hypervisor/bus.c hypervisor/virtio/mmio.c hypervisor/virtio/queue.c */
/* sources: hypervisor/virtio/blk.c */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "tests/unit/virtio_host.h"
#include "expect.h"
#include "virtio/blk.h"

#define W       WINDOW(0)
#define HEADER  0x8000
#define STATUS  0x8100
#define DATA    0x9000
#define SECTORS 64
#define STEPS   1000000

enum {
    OK,
    IOERR,
    UNSUPP,
    SILENCE = 0xee
}; /* what request() returns; SILENCE: the request did not come back */

static struct test_queue q;
static char path[64], option_text[128];
static int fd;
static uint8_t content[SECTORS * 512];
static uint32_t used_length; /* of the last request */

/* ---- The file: what the device does with it is counted, and can be made to go wrong ---- */

static struct {
    bool watched;                    /* a test is running */
    size_t most;                     /* bytes that one call moves; 0: all */
    int error;                       /* of every call; 0: none */
    unsigned interrupted;            /* calls that a signal ends first */
    unsigned reads, writes, flushes; /* calls */
    bool answered;                   /* the guest had its answer before one of them */
} file;

/* May the call go on? `count` counts those of the device; the test's own do not matter. */
static bool called(int target, unsigned *count)
{
    if (!file.watched || target == fd)
        return true;
    ++*count;
    file.answered |= used_index(&q) != q.used_idx;
    errno = file.interrupted ? EINTR : file.error;
    file.interrupted -= file.interrupted > 0;
    return errno == 0;
}

static size_t portion(size_t size)
{
    return file.most && size > file.most ? file.most : size;
}

ssize_t pread(int target, void *to, size_t size, off_t offset)
{
    return called(target, &file.reads) ? syscall(SYS_pread64, target, to, portion(size), offset) : -1;
}

ssize_t pwrite(int target, const void *from, size_t size, off_t offset)
{
    return called(target, &file.writes) ? syscall(SYS_pwrite64, target, from, portion(size), offset) : -1;
}

ssize_t preadv(int target, const struct iovec *iov, int count, off_t offset)
{
    if (file.most)
        return pread(target, iov->iov_base, iov->iov_len, offset);
    return called(target, &file.reads) ? syscall(SYS_preadv, target, iov, count, offset, 0) : -1;
}

ssize_t pwritev(int target, const struct iovec *iov, int count, off_t offset)
{
    if (file.most)
        return pwrite(target, iov->iov_base, iov->iov_len, offset);
    return called(target, &file.writes) ? syscall(SYS_pwritev, target, iov, count, offset, 0) : -1;
}

int fdatasync(int target)
{
    return called(target, &file.flushes) ? 0 : -1;
}

int fsync(int target)
{
    return fdatasync(target);
}

static void up(uint64_t features)
{
    driver_begin(W, features);
    q = driver_queue(W, 0, 16, false);
    driver_ready(W);
    complaints = 0;
}

static struct disk *found;

static void note_disk(struct disk *disk)
{
    found = found ?: disk;
}

static struct disk *first_disk(void)
{
    found = NULL;
    blk_each(machine, note_disk);
    return found;
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
    memset(&file, 0, sizeof file);
    new_file(sizeof content);
    for (unsigned i = 0; i < sizeof content; i++)
        content[i] = (uint8_t)(i / 512 + i);
    assert_int_equal(pwrite(fd, content, sizeof content, 0), sizeof content);
    attach_disk("");
    file.watched = true;
    return 0;
}

static int end(void **state)
{
    (void)state;
    memset(&file, 0, sizeof file);
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

/* Carry out one request with a buffer of `bytes` at DATA. Returns its status. */
static uint8_t request(uint32_t type, uint64_t sector, uint32_t bytes)
{
    bool reads = type == BLK_IN || type == BLK_GET_ID;
    uint32_t id;

    put_header(type, sector);
    ram[STATUS] = 0xdd;
    put_desc(&q, 0, HEADER, 16, F_NEXT, bytes ? 1 : 2);
    put_desc(&q, 1, DATA, bytes, F_NEXT | (reads ? F_WRITE : 0), 2);
    put_desc(&q, 2, STATUS, 1, F_WRITE, 0);
    offer(&q, 0);
    notify_queue(&q);
    if (!take_used(&q, &id, &used_length))
        return SILENCE;
    expect_number(id, 0,
                  "The used entry must name the chain by its head: the index of its first descriptor, 0 here "
                  "(virtio 1.2 §2.7.8, id).");
    return ram[STATUS];
}

static void a_sector_is_read(void **state)
{
    (void)state;
    expect_number(
        request(BLK_IN, 5, 512), OK,
        "VIRTIO_BLK_T_IN for sector 5: the byte behind the data must become VIRTIO_BLK_S_OK. 0xee: the "
        "chain never came back in the used ring; 0xdd: it did, but nobody wrote the status.");
    expect_bytes(
        ram + DATA, content + 5 * 512, 512,
        "The buffer must have the file's bytes from 5 * 512 on: sectors of virtio have 512 bytes, always "
        "(virtio 1.2 §5.2.6).");
    expect_number(reg(W, R_INTERRUPTS), 1,
                  "After the used ring was filled the driver is told: bit 0 of InterruptStatus (§4.2.2).");
}

static void sectors_are_written(void **state)
{
    uint8_t got[1024];

    (void)state;
    memset(ram + DATA, 0xa7, 1024);
    expect_number(
        request(BLK_OUT, 62, 1024), OK,
        "VIRTIO_BLK_T_OUT of the last two sectors, 62 and 63, is a good request. 0xee: it never came back.");
    assert_int_equal(pread(fd, got, 1024, 62 * 512), 1024);
    expect_bytes(
        got, ram + DATA, 1024,
        "The file must have the guest's bytes at 62 * 512. The data of a write are the readable bytes of "
        "the chain behind the 16 of the header.");
}

static void the_used_length_counts_data_and_status(void **state)
{
    (void)state;
    expect_number(request(BLK_IN, 1, 1024), OK, "A read of sectors 1 and 2.");
    expect_number(
        used_length, 1025,
        "The used entry's len is the number of bytes that the device wrote into the chain (virtio 1.2 "
        "§2.7.8): after a read the 1024 of the data and the status. A driver that gets less takes the read "
        "for a failure.");
    expect_number(request(BLK_OUT, 1, 1024), OK, "A write of sectors 1 and 2.");
    expect_number(
        used_length, 1,
        "After a write the device has written one byte into the guest: the status. What it only read does "
        "not count (virtio 1.2 §2.7.8).");
}

static void the_file_comes_first_and_the_answer_after(void **state)
{
    (void)state;
    expect_number(request(BLK_IN, 3, 512), OK, "A read of sector 3.");
    expect_true(
        !file.answered,
        "The used ring's index had moved before the file was read. The driver may look at its buffer as soon "
        "as it sees the index: call blk_done() when the data are there (virtio 1.2 §2.7.8.2).");
    expect_number(request(BLK_OUT, 3, 512), OK, "A write of sector 3.");
    expect_true(
        !file.answered,
        "The used ring's index had moved before the file was written. The driver may fill the buffer with "
        "something else as soon as it sees the index, and that would go to the disk.");
}

static void a_flush_reaches_the_file(void **state)
{
    (void)state;
    expect_number(request(BLK_FLUSH, 0, 0), OK, "VIRTIO_BLK_T_FLUSH has no data; its status must become OK.");
    expect_number(
        file.flushes, 1,
        "A flush promises that what was written before it is durable (virtio 1.2 §5.2.6.2), so the host's "
        "cache must go to the disk, once: fdatasync().");
    expect_true(!file.answered,
                "The guest had its answer before the flush had happened: then it promises nothing.");
    expect_number(file.reads + file.writes, 0, "A flush moves no data.");
    file.error = EIO;
    expect_number(request(BLK_FLUSH, 0, 0), IOERR,
                  "fdatasync() failed with EIO: the guest must know, by "
                  "VIRTIO_BLK_S_IOERR. A file system trusts this answer.");
}

static void a_transfer_in_pieces_is_finished(void **state)
{
    uint8_t got[1024];

    (void)state;
    file.most = 200;
    expect_number(request(BLK_IN, 8, 1024), OK,
                  "A read of two sectors, of which the host gives 200 bytes at a time.");
    expect_bytes(
        ram + DATA, content + 8 * 512, 1024,
        "preadv() may read less than was asked for. Go on with the rest: at a later offset, behind what is "
        "there already (iov_skip()).");
    memset(ram + DATA, 0x3c, 1024);
    file.interrupted = 1;
    expect_number(
        request(BLK_OUT, 8, 1024), OK,
        "pwritev() gave EINTR once: a signal came (the monitor's), and nothing was written. That is no "
        "error: try again.");
    file.most = 0;
    assert_int_equal(pread(fd, got, 1024, 8 * 512), 1024);
    expect_bytes(got, ram + DATA, 1024,
                 "All of the data must be in the file, however many calls that takes.");
}

static void an_error_of_the_file_is_an_io_error(void **state)
{
    (void)state;
    file.error = EIO;
    expect_number(request(BLK_IN, 0, 512), IOERR,
                  "preadv() failed with EIO: the status is VIRTIO_BLK_S_IOERR, 1 (virtio 1.2 §5.2.6).");
    expect_number(request(BLK_OUT, 0, 512), IOERR,
                  "pwritev() failed with EIO: the status is VIRTIO_BLK_S_IOERR.");
    file.error = 0;
    expect_number(request(BLK_IN, 0, 512), OK, "The next request, for which the file is well again.");
}

static void the_last_sector_is_the_last(void **state)
{
    (void)state;
    expect_number(request(BLK_IN, SECTORS - 1, 512), OK,
                  "The disk has 64 sectors; number 63 is one of them.");
    expect_number(
        request(BLK_IN, SECTORS - 1, 1024), IOERR,
        "Two sectors from 63 on: the second is beyond the capacity, so the whole request is refused.");
    expect_number(request(BLK_IN, SECTORS, 512), IOERR, "Sector 64 is the first that is not there.");
    expect_number(request(BLK_OUT, SECTORS, 512), IOERR,
                  "Sector 64 cannot be written: the disk must not grow.");
    expect_number(request(BLK_OUT, SECTORS - 1, 1024), IOERR,
                  "A write that begins on the disk and ends behind it is refused as a whole, too.");
    expect_number((uint64_t)lseek(fd, 0, SEEK_END), sizeof content, "The file must be as long as it was.");
    expect_number(complaints, 0,
                  "A bad sector number is the guest's business: an error to it, no message here.");
}

static void parts_of_sectors_are_refused(void **state)
{
    (void)state;
    expect_number(request(BLK_IN, 0, 511), IOERR, "511 bytes are no whole number of sectors.");
    expect_number(request(BLK_OUT, 0, 513), IOERR, "513 bytes are no whole number of sectors.");
    expect_number(file.reads + file.writes, 0, "A request that is refused must not reach the file.");
}

static void the_identity_is_told(void **state)
{
    (void)state;
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

static void a_range_that_wraps_is_refused(void **state)
{
    uint8_t got[512];

    (void)state;
    memset(ram + DATA, 0x99, 512);
    expect_number(
        request(BLK_OUT, 1ul << 55, 512), IOERR,
        "Sector 2^55 is at byte 2^64, which is 0 in 64 bits: multiplied without a check, it is sector 0.");
    expect_number(request(BLK_IN, UINT64_MAX, 512), IOERR, "Sector 2^64 - 1 is far beyond the end.");
    expect_number(request(BLK_IN, UINT64_MAX / 512, 512), IOERR,
                  "The last sector below 2^64: its end, as a number of bytes, is 0.");
    expect_number(
        discard(BLK_WRITE_ZEROES, UINT64_MAX / 512, 1), IOERR,
        "Zeroes for the last sector below 2^64: where it ends is 0 in 64 bits, and 0 <= size says nothing. "
        "Compare the length with what is left behind the start, and do not add.");
    expect_number(discard(BLK_WRITE_ZEROES, 1ul << 55, 1), IOERR,
                  "Zeroes at sector 2^55, which is not sector 0.");
    assert_int_equal(pread(fd, got, 512, 0), 512);
    expect_bytes(got, content, 512,
                 "Sector 0 must be as it was: no request was about it. A number wrapped at 2^64.");
    expect_number(file.reads + file.writes, 0,
                  "Nothing of this is on the disk, so the file must not be asked.");
}

/* Discard or write zeroes to sector 5, with these flags. */
static uint8_t flagged(uint32_t type, uint32_t flags)
{
    const uint32_t segment[4] = {5, 0, 1, flags};

    memcpy(ram + DATA, segment, sizeof segment);
    return request(type, 0, sizeof segment);
}

static void unknown_flags_are_unsupported(void **state)
{
    uint8_t got[512];

    (void)state;
    for (uint32_t flag = 2; flag; flag <<= 1) {
        assert_int_equal(flagged(BLK_WRITE_ZEROES, flag), UNSUPP);
        assert_int_equal(flagged(BLK_DISCARD, flag), UNSUPP);
    }
    assert_int_equal(flagged(BLK_DISCARD, 1), UNSUPP);
    assert_int_equal(pread(fd, got, sizeof got, 5 * 512), sizeof got);
    assert_memory_equal(got, content + 5 * 512, sizeof got);
    assert_int_equal(flagged(BLK_WRITE_ZEROES, 1), OK);
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
    memset(ram + DATA, 0xdd, 514);
    offer(&q, 0);
    notify_queue(&q);
    expect_true(take_used(&q, &id, &len),
                "A header in two buffers (7 and 9 bytes) is a good header: a device must not care how the "
                "driver cuts "
                "a request into descriptors (virtio 1.2 §2.7.4.1). This request did not come back.");
    expect_number(len, 513, "512 bytes of data and one of status were written.");
    expect_bytes(ram + DATA, content + 7 * 512, 512,
                 "The data go to the writable bytes in order, here 100 in one buffer and 412 in the next.");
    expect_number(
        ram[DATA + 512], OK,
        "The status is the LAST writable byte of the chain (virtio 1.2 §5.2.6), wherever its buffer begins: "
        "here it is the last of a buffer of 413.");
    expect_number(ram[DATA + 513], 0xdd, "The byte behind the chain is not the device's to write.");
}

static void requests_without_header_or_status_break_the_device(void **state)
{
    (void)state;
    put_desc(&q, 0, HEADER, 16, 0, 0);
    offer(&q, 0);
    notify_queue(&q);
    expect_contains(complaint, "no header or no status",
                    "A chain without a writable byte has no place for a status.");
    expect_number(
        reg(W, R_STATUS) & 64, 64,
        "A driver that breaks the rules gets DEVICE_NEEDS_RESET (virtio 1.2 §2.1.2): return false.");
    up(0);
    put_desc(&q, 0, HEADER, 15, F_NEXT, 1);
    put_desc(&q, 1, STATUS, 1, F_WRITE, 0);
    offer(&q, 0);
    notify_queue(&q);
    expect_number(reg(W, R_STATUS) & 64, 64,
                  "15 readable bytes are no header, which has 16 (virtio 1.2 §5.2.6).");
    up(0);
    expect_number(request(BLK_IN, 0, 512), OK, "After a reset the device works again.");
}

static struct blk_request *kept;

static void keep(struct blk_request *request)
{
    kept = request;
}

static void what_an_earlier_run_began_is_forgotten(void **state)
{
    struct disk *disk = first_disk();

    (void)state;
    disk->start = keep; /* the file is slow */
    expect_number(request(BLK_OUT, 2, 512), SILENCE,
                  "The file has not answered yet, so the guest has no answer.");
    expect_true(kept != NULL, "A good write must reach the disk's start().");
    up(0);
    const struct blk_request *free = disk->free;
    blk_done(kept, 0);
    expect_number(
        used_index(&q), 0,
        "The driver reset the device while a request was at work: its chain is no longer the device's, and "
        "the rings are new ones. Compare the request's run with the device's before you touch either "
        "(virtio 1.2 §2.4.1).");
    expect_number(ram[STATUS], 0xdd, "The status byte of a forgotten request is the guest's memory again.");
    expect_true(
        disk->free == kept && kept->next == free,
        "A request that is done goes back to the list of free ones, whatever became of its chain: without "
        "that, the disk stands still after 128 of them.");
}

/* A read puts these over the ring and the header that it came from: another chain waits, and asks for the
 * next sector. */
static void put_bait(uint16_t sector)
{
    const uint16_t avail[2] = {0, (uint16_t)(sector + 2)};
    const uint64_t header[2] = {BLK_IN, (sector + 1u) % SECTORS};
    uint8_t bait[512] = {0};

    memcpy(bait, avail, sizeof avail);
    memcpy(bait + 64, header, sizeof header);
    assert_int_equal(pwrite(fd, bait, sizeof bait, sector * 512), sizeof bait);
}

static void a_ring_that_feeds_itself_ends_with_the_machine(void **state)
{
    const uint64_t header[2] = {BLK_IN, 0};

    (void)state;
    for (uint16_t sector = 0; sector < SECTORS; sector++)
        put_bait(sector);
    memcpy(ram + q.avail + 64, header, sizeof header);
    put_desc(&q, 0, q.avail + 64, 16, F_NEXT, 1);
    put_desc(&q, 1, q.avail, 512, F_NEXT | F_WRITE, 2);
    put_desc(&q, 2, STATUS, 1, F_WRITE, 0);
    offer(&q, 0);
    stops_after = 10;
    notify_queue(&q);
    assert_in_range(file.reads, 5, 10); /* not all sectors: with 65,536 of them it would never end */
}

static void zeroes_for_a_huge_range_end_with_the_machine(void **state)
{
    (void)state;
    file.most = 1;
    file.writes = 0;
    stops_after = 10;
    discard(BLK_WRITE_ZEROES, 0, SECTORS);
    assert_in_range(file.writes, 0, 10);
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
    expect_number(
        request(BLK_OUT, 0, 512), IOERR,
        "The disk was attached with ',ro': a write is refused (virtio 1.2 §5.2.6.2, VIRTIO_BLK_F_RO).");
    expect_number(
        file.writes, 0,
        "The write was refused, but only by the host's kernel: the device asked for it. Where the file "
        "happens to be open for writing, that would have gone through; check disk->read_only.");
    expect_number(discard(BLK_WRITE_ZEROES, 0, 1), IOERR, "Zeroes are a write, too.");
    assert_int_equal(pread(fd, got, 512, 0), 512);
    expect_bytes(got, content, 512, "The file must be as it was.");
    expect_number(request(BLK_GET_ID, 0, 20), OK, "The identity can be read.");
    expect_text((char *)ram + DATA, "abc", "The serial number that the option gave.");
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
    snprintf(path, sizeof path, P_tmpdir "/terrarium-pipe-%d", getpid());
    assert_int_equal(mkfifo(path, 0600), 0);
    expect_refused(",ro", "neither a file nor a block device"); /* and does not wait for a writer */
    unlink(path);
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
        TEST(the_used_length_counts_data_and_status),
        TEST(the_file_comes_first_and_the_answer_after),
        TEST(a_flush_reaches_the_file),
        TEST(a_transfer_in_pieces_is_finished),
        TEST(an_error_of_the_file_is_an_io_error),
        TEST(the_last_sector_is_the_last),
        TEST(a_range_that_wraps_is_refused),
        TEST(parts_of_sectors_are_refused),
        TEST(the_identity_is_told),
        TEST(unknown_requests_are_unsupported),
        TEST(the_configuration_tells_the_size),
        TEST(zeroes_are_written),
        TEST(unknown_flags_are_unsupported),
        TEST(zeroes_for_a_huge_range_end_with_the_machine),
        TEST(a_ring_that_feeds_itself_ends_with_the_machine),
        TEST(buffers_may_be_cut_anywhere),
        TEST(requests_without_header_or_status_break_the_device),
        TEST(what_an_earlier_run_began_is_forgotten),
        TEST(a_disk_that_shrinks_gives_errors),
        TEST(a_read_only_disk_stays_as_it_is),
        TEST(bad_files_are_refused_with_the_way_out),
        TEST(a_million_random_steps_do_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
