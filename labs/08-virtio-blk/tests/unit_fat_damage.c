/* Moss's FAT on damaged volumes: an error and one clear message, and from then on nobody writes. */
/* sources: guestos/fs/fat_*.c guestos/fs/block*.c guestos/fs/vnode.c guestos/fs/path.c tests/unit/moss_*.c */
#include "tests/unit/moss_disk.h"

#define MIB       1048576ul
#define TABLE     512 /* where mformat puts things on a FAT16 volume of 8 MiB with clusters of 512 bytes */
#define CLUSTER   512
#define FILE_SIZE 5000

static struct disk *disk;
static uint64_t data_start;
static char bytes[FILE_SIZE];

static uint16_t entry_of(unsigned cluster)
{
    uint16_t value;

    disk_peek(disk, TABLE + cluster * 2ul, &value, 2);
    return value;
}

/* In both copies of the table, which lies twice between its start and the root directory. */
static void set_entry(unsigned cluster, uint16_t value)
{
    uint16_t sectors;

    disk_peek(disk, 22, &sectors, 2);
    disk_poke(disk, TABLE + cluster * 2ul, &value, 2);
    disk_poke(disk, TABLE + sectors * 512ul + cluster * 2ul, &value, 2);
}

static uint64_t root_start(void)
{
    uint16_t sectors;

    disk_peek(disk, 22, &sectors, 2);
    return TABLE + 2 * sectors * 512ul;
}

/* Where the short entry with this name is, in a directory of one sector or the root. */
static uint64_t find_entry(uint64_t directory, const char *name)
{
    char slot[32];

    for (unsigned i = 0; i < 16; i++) {
        disk_peek(disk, directory + i * 32, slot, sizeof slot);
        if (memcmp(slot, name, 11) == 0)
            return directory + i * 32;
    }
    fail_msg("there is no entry %s", name);
    return 0;
}

static unsigned start_of(uint64_t entry)
{
    uint16_t start;

    disk_peek(disk, entry + 26, &start, 2);
    return start;
}

/* A volume with /FILE, /OTHER and /DIR/SUB. */
static int set_up(void **state)
{
    uint16_t root_entries;

    (void)state;
    *disk_warnings = 0;
    disk = disk_create(8 * MIB);
    if (disk_run(disk, "mformat -i @ -T 16384 -h 16 -s 63 -c 1 ::") != 0)
        return -1;
    assert_int_equal(disk_mount(disk, false), 0);
    assert_int_equal(fs_put("/FILE", bytes, FILE_SIZE), 0);
    assert_int_equal(fs_put("/OTHER", bytes, FILE_SIZE), 0);
    assert_int_equal(fs_mkdir("/DIR"), 0);
    assert_int_equal(fs_mkdir("/DIR/SUB"), 0);
    assert_int_equal(disk_unmount(), 0);
    disk_peek(disk, 17, &root_entries, 2);
    data_start = root_start() + root_entries * 32ul;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    disk_destroy(disk);
    return 0;
}

static unsigned count_warnings(void)
{
    unsigned count = 0;

    for (const char *at = disk_warnings; (at = strchr(at, '\n')) != NULL; at++)
        count++;
    return count;
}

/* One message that names the disk and this; nothing can be written; the rest can be read. */
static void expect_read_only(const char *message, const char *sound)
{
    static char got[FILE_SIZE + 1];

    assert_int_equal(count_warnings(), 1);
    assert_non_null(strstr(disk_warnings, "vda: "));
    if (!strstr(disk_warnings, message))
        fail_msg("the message should speak of \"%s\": %s", message, disk_warnings);
    assert_int_equal(fs_mkdir("/new"), -EROFS);
    assert_int_equal(fs_unlink(sound), -EROFS);
    assert_int_equal(fs_put(sound, "x", 1), -EROFS);
    assert_int_equal(fs_get(sound, got, sizeof got), FILE_SIZE);
    assert_int_equal(disk_unmount(), 0);
}

static ssize_t read_file(const char *path)
{
    static char got[100000];

    return fs_get(path, got, sizeof got);
}

static void chains_that_meet_are_noticed_at_mount(void **state)
{
    unsigned file = start_of(find_entry(root_start(), "FILE       "));
    unsigned other = start_of(find_entry(root_start(), "OTHER      "));

    (void)state;
    set_entry(file + 2, (uint16_t)(other + 4));
    assert_int_equal(disk_mount(disk, false), 0);
    expect_read_only("two chains meet", "/OTHER");
}

static void circles_are_noticed_at_mount(void **state)
{
    unsigned file = start_of(find_entry(root_start(), "FILE       "));

    (void)state;
    set_entry(file + 5, (uint16_t)(file + 3));
    assert_int_equal(disk_mount(disk, false), 0);
    assert_int_equal(read_file("/FILE"), FILE_SIZE); /* of whatever bytes: no longer than it is said to be */
    expect_read_only("two chains meet", "/OTHER");
}

static void wild_clusters_are_errors(void **state)
{
    static const uint16_t wild[] = {1, 0x7000, 0xffef, 0xfff7, 0};
    unsigned file = start_of(find_entry(root_start(), "FILE       "));
    uint16_t good = entry_of(file + 1);

    (void)state;
    for (unsigned i = 0; i < sizeof wild / sizeof *wild; i++) {
        *disk_warnings = 0;
        set_entry(file + 1, wild[i]);
        assert_int_equal(disk_mount(disk, false), 0);
        assert_int_equal(read_file("/FILE"), 2 * CLUSTER); /* what comes before is there */
        struct vnode *node;
        char byte;
        assert_int_equal(fs_open("/FILE", &node), 0);
        assert_int_equal(fs_read(node, &byte, 1, 3 * CLUSTER), -EUCLEAN);
        vnode_put(node);
        expect_read_only("a chain leads to cluster", "/OTHER");
    }
    set_entry(file + 1, good);
}

static void a_chain_too_short_is_an_error(void **state)
{
    unsigned file = start_of(find_entry(root_start(), "FILE       "));
    struct vnode *node;
    char byte;

    (void)state;
    set_entry(file + 1, 0xffff);
    assert_int_equal(disk_mount(disk, false), 0);
    assert_int_equal(fs_open("/FILE", &node), 0);
    assert_int_equal(fs_read(node, &byte, 1, 3 * CLUSTER), -EUCLEAN);
    assert_int_equal(fs_read(node, &byte, 1, CLUSTER), 1);
    vnode_put(node);
    expect_read_only("too short", "/OTHER");
}

static void a_chain_too_long_is_no_harm(void **state)
{
    uint64_t entry = find_entry(root_start(), "FILE       ");
    uint32_t size = 600;

    (void)state;
    disk_poke(disk, entry + 28, &size, 4);
    assert_int_equal(disk_mount(disk, false), 0);
    assert_int_equal(read_file("/FILE"), 600);
    assert_int_equal(fs_put("/FILE", bytes, 3000), 0);
    assert_int_equal(read_file("/FILE"), 3000);
    assert_int_equal(disk_unmount(), 0);
    assert_string_equal(disk_warnings, "");
    assert_int_equal(disk_run(disk, "fsck.fat -n @"), 0); /* nothing leaked */
}

static void absurd_entries_are_errors(void **state)
{
    static const struct {
        unsigned at, size;
        uint32_t value;
        const char *says;
    } cases[] = {{26, 2, 1, "names cluster"},
                 {26, 2, 0xfff0, "names cluster"},
                 {26, 2, 0, "names cluster"},
                 {28, 4, 0xffffffff, "larger than the disk"}};
    uint64_t entry = find_entry(root_start(), "FILE       ");
    char good[32];

    (void)state;
    disk_peek(disk, entry, good, sizeof good);
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        *disk_warnings = 0;
        disk_poke(disk, entry + cases[i].at, &cases[i].value, cases[i].size);
        assert_int_equal(disk_mount(disk, false), 0);
        assert_int_equal(read_file("/FILE"), -EUCLEAN);
        expect_read_only(cases[i].says, "/OTHER");
        disk_poke(disk, entry, good, sizeof good);
    }
}

static void directories_in_a_circle_are_errors(void **state)
{
    uint16_t dir = (uint16_t)start_of(find_entry(root_start(), "DIR        "));
    uint64_t sub = find_entry(data_start + (dir - 2ul) * CLUSTER, "SUB        ");

    (void)state;
    disk_poke(disk, sub + 26, &dir, 2);
    assert_int_equal(disk_mount(disk, false), 0);
    assert_int_equal(fs_list("/DIR", NULL, 0), 1);
    assert_int_equal(fs_list("/DIR/SUB", NULL, 0), -EUCLEAN);
    expect_read_only("contains itself", "/OTHER");
}

static void a_chain_of_a_directory_in_a_circle_ends(void **state)
{
    uint16_t dir = (uint16_t)start_of(find_entry(root_start(), "DIR        "));
    static char sector[CLUSTER];

    (void)state;
    disk_peek(disk, data_start + (dir - 2ul) * CLUSTER, sector, sizeof sector);
    for (unsigned slot = 0; slot < 16; slot++) /* full, so that reading goes on */
        memcpy(sector + slot * 32, "NAME       \x20", 12);
    disk_poke(disk, data_start + (dir - 2ul) * CLUSTER, sector, sizeof sector);
    disk_poke(disk, data_start + (1000 - 2) * CLUSTER, sector, sizeof sector);
    set_entry(dir, 1000);
    set_entry(1000, dir);
    assert_int_equal(disk_mount(disk, false), 0);
    assert_int_equal(fs_list("/DIR", NULL, 0), -EUCLEAN);
    expect_read_only("goes on for ever", "/OTHER");
}

static void a_disk_that_was_cut_off_is_read_only(void **state)
{
    (void)state;
    disk->device.sectors = 10000;
    assert_int_equal(disk_mount(disk, false), 0);
    expect_read_only("the disk ends before", "/OTHER");
    disk->device.sectors = 20; /* nothing is left but the beginning of the table */
    cache_drop(&disk->device);
    assert_int_equal(disk_mount(disk, false), -EINVAL);
}

static void an_absurd_first_sector_is_refused(void **state)
{
    static const struct {
        unsigned at, size;
        uint32_t value;
    } cases[] = {{11, 2, 0}, {11, 2, 513},    {11, 2, 8192}, {13, 1, 0},     {13, 1, 3},
                 {14, 2, 0}, {14, 2, 0xffff}, {16, 1, 0},    {16, 1, 200},   {17, 2, 5},
                 {19, 2, 1}, {21, 1, 0},      {22, 2, 0},    {22, 2, 0xffff}};
    char good[512];

    (void)state;
    disk_peek(disk, 0, good, sizeof good);
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        disk_poke(disk, cases[i].at, &cases[i].value, cases[i].size);
        cache_drop(&disk->device);
        if (disk_mount(disk, false) != -EINVAL)
            fail_msg("%u at %u is taken for a FAT volume", cases[i].value, cases[i].at);
        disk_poke(disk, 0, good, sizeof good);
    }
    assert_string_equal(disk_warnings, "");
}

static void an_unreadable_disk_is_an_error(void **state)
{
    (void)state;
    disk->read_error = -EIO;
    assert_int_equal(disk_mount(disk, false), -EIO);
    disk->read_error = 0;
    assert_int_equal(disk_mount(disk, false), 0);
    cache_drop(&disk->device);
    disk->read_error = -EIO;
    assert_int_equal(read_file("/FILE"), -EIO);
    assert_int_equal(fs_mkdir("/new"), -EIO);
    disk->read_error = 0;
    assert_int_equal(read_file("/FILE"), FILE_SIZE);
    assert_int_equal(disk_unmount(), 0);
}

/* The new part of a chain hangs on the old one when the disk refuses to write; then it takes writes again. */
static void a_file_that_could_not_be_written_can_be_removed(void **state)
{
    struct vnode *node;

    (void)state;
    assert_int_equal(disk_mount(disk, false), 0);
    assert_int_equal(fs_open("/FILE", &node), 0);
    assert_int_equal(fs_write(node, bytes, FILE_SIZE, FILE_SIZE), FILE_SIZE);
    assert_int_equal(cache_write_out(&disk->device, CACHE_EARLY), 0); /* the contents, not yet the chain */
    disk->write_error = -EIO;
    assert_int_equal(fs_sync("/FILE"), -EIO);
    disk->write_error = 0;
    vnode_put(node);
    assert_int_equal(fs_unlink("/FILE"), 0);
    assert_int_equal(fs_sync("/"), -EIO); /* whoever syncs is told of what failed, once; ... */
    assert_int_equal(fs_sync("/"), 0);    /* ... now all of it is written */
    assert_string_equal(disk_warnings, "");
    assert_int_equal(fs_mkdir("/new"), 0);
    assert_int_equal(disk_unmount(), 0);
    assert_int_equal(disk_run(disk, "fsck.fat -n @"), 0);
}

static void without_memory_there_are_errors_and_no_harm(void **state)
{
    (void)state;
    for (unsigned n = 2; n < 40; n++) {
        disk_kmalloc_fails = n;
        int error = disk_mount(disk, false);
        assert_true(error == 0 || error == -ENOMEM);
        if (error == 0) {
            fs_mkdir("/new");
            fs_put("/new/file with a long name", bytes, FILE_SIZE);
            fs_rename("/new/file with a long name", "/renamed");
            fs_list("/", NULL, 0);
            disk_kmalloc_fails = 0;
            fs_unlink("/new/file with a long name");
            fs_unlink("/renamed");
            fs_unlink("/new");
            assert_int_equal(disk_unmount(), 0);
        }
        disk_kmalloc_fails = 0;
        assert_int_equal(disk_run(disk, "fsck.fat -n @"), 0);
        *disk_warnings = 0;
    }
}

/* Every allocation fails once, the one for a larger index of names included. */
static void without_memory_a_new_directory_is_whole_or_not_there(void **state)
{
    char path[32];

    (void)state;
    assert_int_equal(disk_mount(disk, false), 0);
    for (unsigned i = 0; i < 100; i++) {
        int error = -ENOMEM;
        snprintf(path, sizeof path, "/d%u", i);
        for (unsigned n = 2; error == -ENOMEM; n++) {
            disk_kmalloc_fails = n;
            error = fs_mkdir(path);
            disk_kmalloc_fails = 0;
        }
        assert_true(error == 0 || error == -EEXIST);
    }
    assert_int_equal(fs_list("/", NULL, 0), 103); /* see set_up() */
    assert_int_equal(disk_unmount(), 0);
    assert_int_equal(disk_run(disk, "fsck.fat -n @"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(chains_that_meet_are_noticed_at_mount),
        TEST(circles_are_noticed_at_mount),
        TEST(wild_clusters_are_errors),
        TEST(a_chain_too_short_is_an_error),
        TEST(a_chain_too_long_is_no_harm),
        TEST(absurd_entries_are_errors),
        TEST(directories_in_a_circle_are_errors),
        TEST(a_chain_of_a_directory_in_a_circle_ends),
        TEST(a_disk_that_was_cut_off_is_read_only),
        TEST(an_absurd_first_sector_is_refused),
        TEST(an_unreadable_disk_is_an_error),
        TEST(a_file_that_could_not_be_written_can_be_removed),
        TEST(without_memory_there_are_errors_and_no_harm),
        TEST(without_memory_a_new_directory_is_whole_or_not_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
