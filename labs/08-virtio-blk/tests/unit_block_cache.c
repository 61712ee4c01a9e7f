/* Moss's buffer cache: what is written is read, in large requests and many at a time; late writes wait;
 * errors are told and lose nothing. */
/* sources: guestos/fs/fat_*.c guestos/fs/block*.c guestos/fs/vnode.c guestos/fs/path.c tests/unit/moss_*.c */
#include "tests/unit/moss_disk.h"
#include "guestos/include/frames.h"

#define MIB       1048576ul
#define BLOCK     4096
#define DISK_SIZE (4 * MIB + 3 * SECTOR_SIZE) /* more than the cache, and no whole number of blocks */

static struct disk *disk;
static char *model, *got;

static int set_up(void **state)
{
    (void)state;
    disk = disk_create(DISK_SIZE);
    model = calloc(1, DISK_SIZE);
    got = malloc(DISK_SIZE);
    return model && got ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    disk_destroy(disk);
    free(model);
    free(got);
    return 0;
}

static void write_random(uint64_t offset, size_t n, enum cache_order order)
{
    for (size_t i = 0; i < n; i++)
        model[offset + i] = (char)moss_random();
    assert_int_equal(cache_write(&disk->device, offset, model + offset, n, order), 0);
}

static void expect_read(uint64_t offset, size_t n)
{
    assert_int_equal(cache_read(&disk->device, offset, got, n), 0);
    assert_memory_equal(got, model + offset, n);
}

static void expect_on_disk(uint64_t offset, size_t n)
{
    disk_peek(disk, offset, got, n);
    assert_memory_equal(got, model + offset, n);
}

static void use_at_random(unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        size_t n = 1 + moss_random() % (moss_random() % 8 ? 700 : 20000);
        uint64_t offset = moss_random() % (DISK_SIZE - n + 1);
        if (moss_random() % 2)
            write_random(offset, n, moss_random() % 16 ? CACHE_EARLY : CACHE_LATE);
        else
            expect_read(offset, n);
        if (i % 500 == 0)
            assert_int_equal(cache_write_out(&disk->device, CACHE_LATE), 0);
        if (i % 64 == 0)
            cache_read_ahead(&disk->device, offset, 100000);
    }
    expect_read(0, DISK_SIZE);
    assert_int_equal(cache_write_out(&disk->device, CACHE_LATE), 0);
    expect_on_disk(0, DISK_SIZE);
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    use_at_random(3000);
}

/* Virtio lets a device say so (size_max). */
static void a_device_may_take_less_than_a_block_at_once(void **state)
{
    static const uint32_t most[] = {SECTOR_SIZE, 3 * SECTOR_SIZE, BLOCK - SECTOR_SIZE};

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        disk->device.bytes_max = most[i];
        use_at_random(200);
        assert_in_range(disk->bytes_most, 1, most[i]);
    }
}

static void a_whole_sector_is_written_without_reading_it(void **state)
{
    (void)state;
    disk->read_error = -EIO;
    write_random(SECTOR_SIZE * 5, SECTOR_SIZE * 20, CACHE_EARLY);
    expect_read(SECTOR_SIZE * 5, SECTOR_SIZE * 20);
    assert_int_equal(disk->requests, 0);
    disk->read_error = 0;
}

static void late_sectors_wait(void **state)
{
    (void)state;
    write_random(0, SECTOR_SIZE, CACHE_EARLY);
    write_random(SECTOR_SIZE, SECTOR_SIZE, CACHE_LATE); /* in the same block */
    write_random(2 * SECTOR_SIZE, SECTOR_SIZE, CACHE_EARLY);
    assert_int_equal(cache_write_out(&disk->device, CACHE_EARLY), 0);
    expect_on_disk(0, SECTOR_SIZE);
    expect_on_disk(2 * SECTOR_SIZE, SECTOR_SIZE);
    disk_peek(disk, SECTOR_SIZE, got, SECTOR_SIZE);
    assert_int_equal(got[0] | got[1] | got[2], 0);
    for (unsigned i = 0; i < 900; i++) /* nor do they go when room is needed */
        write_random(BLOCK + i * 4000, 4000, CACHE_EARLY);
    disk_peek(disk, SECTOR_SIZE, got, SECTOR_SIZE);
    assert_int_equal(got[0] | got[1] | got[2], 0);
    assert_int_equal(cache_write_out(&disk->device, CACHE_LATE), 0);
    expect_on_disk(0, DISK_SIZE);
}

static void reading_in_order_makes_large_requests(void **state)
{
    struct read_ahead ahead = {0};

    (void)state;
    for (uint64_t offset = 0; offset < 4 * MIB; offset += BLOCK) {
        uint64_t more = read_ahead_plan(&ahead, offset, BLOCK);
        if (more)
            cache_read_ahead(&disk->device, ahead.done - more, more);
        expect_read(offset, BLOCK);
    }
    assert_true(disk->requests <= 70); /* the window is an eighth of this small cache */
    assert_true(disk->bytes_most >= 65536);
}

/* Reading and writing here and there leaves the memory in disorder; going on in order puts it in order again.
 */
static void order_comes_back_after_disorder(void **state)
{
    struct read_ahead ahead = {0};

    (void)state;
    for (unsigned i = 0; i < 2000; i++)
        expect_read(moss_random() % 1000 * BLOCK, 100);
    for (unsigned round = 0; round < 3; round++) {
        disk->requests = 0;
        ahead = (struct read_ahead){0};
        for (uint64_t offset = 0; offset < 4 * MIB; offset += BLOCK) {
            uint64_t more = read_ahead_plan(&ahead, offset, BLOCK);
            if (more)
                cache_read_ahead(&disk->device, ahead.done - more, more);
            expect_read(offset, BLOCK);
        }
    }
    assert_true(disk->requests <= 100);
}

static void random_reading_reads_nothing_else(void **state)
{
    struct read_ahead ahead = {.next = 1};

    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        uint64_t offset = (i * 7919ul + 13) % 1024 * BLOCK;
        assert_int_equal(read_ahead_plan(&ahead, offset, BLOCK), 0);
        expect_read(offset, BLOCK);
    }
    assert_int_equal(disk->requests, 100);
    assert_int_equal(disk->bytes_most, BLOCK);
}

static void writing_in_order_makes_large_requests(void **state)
{
    (void)state;
    for (uint64_t offset = 0; offset < 4 * MIB; offset += 1024)
        write_random(offset, 1024, CACHE_EARLY);
    assert_int_equal(cache_write_out(&disk->device, CACHE_EARLY), 0);
    assert_true(disk->bytes_most >= 65536);
    assert_true(disk->requests < 80);
    expect_on_disk(0, 4 * MIB);
}

static void many_writes_are_under_way_at_once(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 30; i++) /* every other block: no two in one request */
        write_random(i * 2 * BLOCK, BLOCK, CACHE_EARLY);
    assert_int_equal(disk->requests, 0);
    assert_int_equal(cache_write_out(&disk->device, CACHE_EARLY), 0);
    assert_int_equal(disk->queued_most, 30);
}

static void a_read_error_is_told_and_forgotten(void **state)
{
    (void)state;
    memset(model, 'm', BLOCK);
    disk_poke(disk, 0, model, BLOCK);
    disk->read_error = -EIO;
    assert_int_equal(cache_read(&disk->device, 100, got, 10), -EIO);
    assert_int_equal(cache_write(&disk->device, 100, "part", 4, CACHE_EARLY), -EIO);
    disk->read_error = 0;
    expect_read(0, BLOCK);
}

static void what_cannot_be_written_is_kept(void **state)
{
    (void)state;
    write_random(0, 10 * BLOCK, CACHE_EARLY);
    disk->write_error = -EIO;
    assert_int_equal(cache_write_out(&disk->device, CACHE_EARLY), -EIO);
    assert_int_equal(cache_write_out(&disk->device, CACHE_EARLY), -EIO);
    cache_drop(&disk->device);
    expect_read(0, 10 * BLOCK);
    disk->write_error = 0;
    assert_int_equal(cache_write_out(&disk->device, CACHE_EARLY), 0);
    expect_on_disk(0, 10 * BLOCK);
}

static void a_disk_that_takes_nothing_gives_errors_and_no_endless_wait(void **state)
{
    int error = 0;
    unsigned i = 0;

    (void)state;
    disk->write_error = -EIO;
    for (; i < 1000 && error == 0; i++)
        error = cache_write(&disk->device, i * BLOCK, model, BLOCK, CACHE_EARLY);
    assert_int_equal(error, -EIO);
    expect_read(0, i * BLOCK);        /* what had room is still there */
    expect_read(1010 * BLOCK, BLOCK); /* and others can be read */
}

static void flushes_come_only_after_writes(void **state)
{
    (void)state;
    assert_int_equal(cache_write_out(&disk->device, CACHE_EARLY), 0);
    assert_int_equal(disk->flushes, 0);
    write_random(0, 10, CACHE_EARLY);
    assert_int_equal(cache_write_out(&disk->device, CACHE_EARLY), 0);
    assert_int_equal(cache_write_out(&disk->device, CACHE_EARLY), 0);
    assert_int_equal(disk->flushes, 1);
    write_random(0, 10, CACHE_EARLY);
    disk->flush_error = -EIO;
    assert_int_equal(cache_write_out(&disk->device, CACHE_EARLY), -EIO);
    disk->flush_error = 0;
    assert_int_equal(cache_write_out(&disk->device, CACHE_EARLY), 0);
    assert_int_equal(disk->flushes, 2);
    disk->device.has_flush = false;
    write_random(0, 10, CACHE_EARLY);
    assert_int_equal(cache_write_out(&disk->device, CACHE_EARLY), 0);
    assert_int_equal(disk->flushes, 2);
}

/* Borrow all frames that the cache lends, and use them. */
static unsigned borrow_all(void)
{
    for (uint64_t frame; (frame = frame_lender()) != 0;) {
        assert_true(disk_lent_count < DISK_LENT_MAX);
        memset(phys_to_virt(frame), 0xee, BLOCK);
        disk_lent[disk_lent_count++] = frame;
    }
    return disk_lent_count;
}

static void clean_blocks_make_room_when_memory_is_short(void **state)
{
    (void)state;
    expect_read(0, DISK_SIZE);
    write_random(0, 40 * BLOCK, CACHE_EARLY);
    unsigned lent = borrow_all();
    assert_int_equal(lent, disk_cache_blocks / 2); /* the other half stays, for what is dirty */
    for (unsigned i = 0; i < lent; i++)
        for (unsigned j = i + 1; j < lent; j++)
            assert_int_not_equal(disk_lent[i], disk_lent[j]);
    expect_read(0, DISK_SIZE); /* with half of the cache, and nothing that was written is lost */
    write_random(MIB, 2 * MIB, CACHE_EARLY);
    write_random(0, 20 * BLOCK, CACHE_LATE);
    assert_int_equal(cache_write_out(&disk->device, CACHE_LATE), 0);
    expect_on_disk(0, DISK_SIZE);
    for (unsigned i = 0; i < lent; i++)
        assert_int_equal(*(uint8_t *)phys_to_virt(disk_lent[i]), 0xee); /* it is not the cache's now */
}

static void what_was_lent_comes_home(void **state)
{
    unsigned requests;

    (void)state;
    unsigned lent = borrow_all();
    assert_true(lent > 0);
    disk_frames_free = 0;
    cache_take_back();
    assert_int_equal(disk_lent_count, lent); /* memory is still short */
    disk_frames_free = disk_cache_blocks * 8;
    cache_take_back();
    assert_int_equal(disk_lent_count, 0);
    expect_read(0, disk_cache_blocks * BLOCK);
    requests = disk->requests;
    expect_read(0, disk_cache_blocks * BLOCK);
    assert_int_equal(disk->requests, requests); /* the whole cache is in use again */
    assert_int_equal(borrow_all(), lent);
    cache_take_back();
}

/* Errors of write-back that nobody waited for reach each file's next fsync, once. */
static void fsync_tells_an_error_once(void **state)
{
    struct vnode *a, *b;

    (void)state;
    assert_int_equal(disk_run(disk, "mformat -i @ -T 8192 -h 16 -s 63 -c 1 ::"), 0);
    assert_int_equal(disk_mount(disk, false), 0);
    assert_int_equal(fs_create("/a", S_IFREG | 0644, &a), 0);
    assert_int_equal(fs_create("/b", S_IFREG | 0644, &b), 0);
    assert_int_equal(fs_write(a, model, 5000, 0), 5000);
    disk->write_error = -EIO;
    assert_int_equal(mounts->root->ops->sync(mounts->root), -EIO); /* as the thread does that writes back */
    disk->write_error = 0;
    assert_int_equal(a->ops->sync(a), -EIO);
    assert_int_equal(a->ops->sync(a), 0);
    assert_int_equal(b->ops->sync(b), -EIO);
    assert_int_equal(b->ops->sync(b), 0);
    vnode_put(a);
    vnode_put(b);
    assert_int_equal(disk_unmount(), 0);
    assert_int_equal(disk_run(disk, "fsck.fat -n @"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_written_is_read),
        TEST(a_device_may_take_less_than_a_block_at_once),
        TEST(a_whole_sector_is_written_without_reading_it),
        TEST(late_sectors_wait),
        TEST(reading_in_order_makes_large_requests),
        TEST(order_comes_back_after_disorder),
        TEST(random_reading_reads_nothing_else),
        TEST(writing_in_order_makes_large_requests),
        TEST(many_writes_are_under_way_at_once),
        TEST(a_read_error_is_told_and_forgotten),
        TEST(what_cannot_be_written_is_kept),
        TEST(a_disk_that_takes_nothing_gives_errors_and_no_endless_wait),
        TEST(flushes_come_only_after_writes),
        TEST(fsync_tells_an_error_once),
        TEST(clean_blocks_make_room_when_memory_is_short),
        TEST(what_was_lent_comes_home),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
