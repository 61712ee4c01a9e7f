/* Moss's FAT: files and directories on every kind of volume, checked by fsck.fat, and by mtools for the same
 * bytes. */
/* sources: guestos/fs/fat_*.c guestos/fs/block*.c guestos/fs/vnode.c guestos/fs/path.c tests/unit/moss_*.c */
#include <unistd.h>
#include "tests/unit/moss_disk.h"

#define MIB        1048576ul
#define MANY       10000
#define LONG_NAMES 500

/* What mformat makes these from is a number of sectors for each cluster. */
static const struct geometry {
    const char *name, *option;
    uint64_t size;
    unsigned cluster_sectors;
} geometries[] = {
    {"FAT12, 512 bytes", "", 2 * MIB, 1},    {"FAT12, 4 KiB", "", 8 * MIB, 8},
    {"FAT12, 32 KiB", "", 64 * MIB, 64},     {"FAT16, 512 bytes", "", 16 * MIB, 1},
    {"FAT16, 2 KiB", "", 32 * MIB, 4},       {"FAT16, 32 KiB", "", 1024 * MIB, 64},
    {"FAT32, 512 bytes", "-F", 40 * MIB, 1}, {"FAT32, 4 KiB", "-F", 300 * MIB, 8},
    {"FAT32, 32 KiB", "-F", 2200 * MIB, 64},
};

static const struct geometry *small = &geometries[0], *middle = &geometries[4], *large = &geometries[8];
static struct disk *disk;
static char *buffer, *got; /* 1 MiB each */

static void format_disk(const struct geometry *g)
{
    *disk_warnings = 0;
    disk = disk_create(g->size);
    assert_int_equal(disk_run(disk, "mformat -i @ -T %lu -h 16 -s 63 -c %u -v LABEL %s ::",
                              g->size / SECTOR_SIZE, g->cluster_sectors, g->option),
                     0);
    assert_int_equal(disk_mount(disk, false), 0);
}

static void check_disk(const char *what)
{
    assert_string_equal(disk_warnings, "");
    if (disk_run(disk, "fsck.fat -n @") != 0)
        fail_msg("%s: fsck.fat is not content:\n%s", what, disk_output);
}

/* Unmount, and let others judge. */
static void finish(const char *what)
{
    assert_int_equal(disk_unmount(), 0);
    check_disk(what);
    disk_destroy(disk);
}

/* Do work on a volume of each kind. */
static void on_each(void (*work)(void))
{
    for (unsigned i = 0; i < sizeof geometries / sizeof *geometries; i++) {
        format_disk(&geometries[i]);
        work();
        finish(geometries[i].name);
    }
}

static void on(const struct geometry *g, void (*work)(void))
{
    format_disk(g);
    work();
    finish(g->name);
}

static void fill(char *to, size_t n, unsigned seed)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (char)((seed * 7919 + i) * 2654435761u >> 13);
}

static void put(const char *path, unsigned seed, size_t n)
{
    fill(buffer, n, seed);
    assert_int_equal(fs_put(path, buffer, n), 0);
}

static void expect_bytes(const char *path, const char *expected, size_t n)
{
    assert_int_equal(fs_get(path, got, MIB), n);
    assert_memory_equal(got, expected, n);
}

static void expect_content(const char *path, unsigned seed, size_t n)
{
    fill(buffer, n, seed);
    expect_bytes(path, buffer, n);
}

static struct vnode *open_node(const char *path)
{
    struct vnode *node;

    assert_int_equal(fs_open(path, &node), 0);
    return node;
}

static const size_t sizes[] = {0, 1, 511, 512, 513, 4095, 4096, 4097, 32768, 100000, 300001};
#define SIZES (sizeof sizes / sizeof *sizes)

static void write_for_mtools(void)
{
    char path[64];

    assert_int_equal(fs_mkdir("/Directory with a long name"), 0);
    for (unsigned i = 0; i < SIZES; i++) {
        snprintf(path, sizeof path, "/Directory with a long name/File %u.data", i);
        put(path, i, sizes[i]);
        expect_content(path, i, sizes[i]);
    }
    assert_int_equal(fs_sync("/"), 0);
    for (unsigned i = 0; i < SIZES; i++) {
        assert_int_equal(disk_run(disk, "mtype -i @ '::Directory with a long name/File %u.data'", i), 0);
        fill(buffer, sizes[i], i);
        assert_int_equal(disk_output_size, sizes[i]);
        assert_memory_equal(disk_output, buffer, sizes[i]);
    }
    assert_int_equal(disk_run(disk, "mdir -b -i @ '::Directory with a long name'"), 0);
    assert_non_null(strstr(disk_output, "::/Directory with a long name/File 10.data\n"));
}

static void mtools_reads_what_moss_wrote(void **state)
{
    (void)state;
    on_each(write_for_mtools);
}

static void read_from_mtools(void)
{
    char path[64];

    assert_int_equal(disk_unmount(), 0);
    assert_int_equal(disk_run(disk, "mmd -i @ ::sub '::sub/Another long directory name'"), 0);
    for (unsigned i = 0; i < SIZES; i++) {
        fill(buffer, sizes[i], i);
        FILE *file = tmpfile();
        assert_int_equal(fwrite(buffer, 1, sizes[i], file), sizes[i]);
        fflush(file);
        assert_int_equal(
            disk_run(disk, "mcopy -i @ - '::sub/Another long directory name/FILE nr %u.txt' < /proc/%d/fd/%d",
                     i, getpid(), fileno(file)),
            0);
        fclose(file);
    }
    assert_int_equal(disk_mount(disk, false), 0);
    for (unsigned i = 0; i < SIZES; i++) {
        snprintf(path, sizeof path, "/SUB/another LONG directory name/file NR %u.TXT", i);
        expect_content(path, i, sizes[i]);
    }
    assert_int_equal(fs_list("/sub/Another long directory name", got, MIB), SIZES);
    assert_non_null(strstr(got, "FILE nr 10.txt\n"));
}

static void moss_reads_what_mtools_wrote(void **state)
{
    (void)state;
    on_each(read_from_mtools);
}

/* Any sequence of writes and truncations leaves what the same on an array does. */
static void change_one_file_at_random(void)
{
    static char model[400000], bytes[20000];
    size_t size = 0;
    struct vnode *node;

    assert_int_equal(fs_create("/file", S_IFREG | 0644, &node), 0);
    memset(model, 0, sizeof model);
    for (unsigned i = 0; i < 300; i++) {
        size_t at = moss_random() % (sizeof model - sizeof bytes), n = 1 + moss_random() % sizeof bytes;
        if (moss_random() % 3 == 0) {
            assert_int_equal(fs_truncate(node, at), 0);
            if (at < size)
                memset(model + at, 0, size - at);
            size = at;
        } else {
            fill(bytes, n, i);
            assert_int_equal(fs_write(node, bytes, n, at), n);
            memcpy(model + at, bytes, n);
            size = at + n > size ? at + n : size;
        }
        if (moss_random() % 16 == 0)
            assert_int_equal(fs_sync("/file"), 0);
        assert_int_equal(node->size, size);
    }
    expect_bytes("/file", model, size);
    vnode_put(node);
    assert_int_equal(disk_unmount(), 0);
    assert_int_equal(disk_mount(disk, false), 0);
    expect_bytes("/file", model, size);
}

static void random_writes_and_truncations(void **state)
{
    (void)state;
    on_each(change_one_file_at_random);
}

static void make_many(void)
{
    char path[64];

    assert_int_equal(fs_mkdir("/many"), 0);
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(path, sizeof path, "/many/A file with number %u", i);
        assert_int_equal(fs_put(path, path, i % 100 == 0 ? strlen(path) : 0), 0);
    }
    assert_int_equal(fs_list("/many", NULL, 0), MANY);
    expect_bytes("/many/a FILE with number 9900", "/many/A file with number 9900", 29);
    assert_int_equal(fs_sync("/"), 0);
    assert_int_equal(disk_run(disk, "mdir -b -i @ ::many | wc -l"), 0);
    assert_int_equal(atoi(disk_output), MANY);
    check_disk("many files");
    for (unsigned i = 0; i < MANY; i += 2) {
        snprintf(path, sizeof path, "/many/A file with number %u", i);
        assert_int_equal(fs_unlink(path), 0);
    }
    assert_int_equal(fs_list("/many", NULL, 0), MANY / 2);
}

static void ten_thousand_files_in_a_directory(void **state)
{
    (void)state;
    on(&geometries[6], make_many);
    on(&geometries[7], make_many);
}

static void create_and_remove(void)
{
    struct vnode *node;
    char path[64];

    disk_kmalloc_most = 0;
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(path, sizeof path, "/A file with number %u", i);
        assert_int_equal(fs_create(path, S_IFREG | 0644, &node), 0);
        vnode_put(node);
        assert_int_equal(fs_unlink(path), 0);
    }
    assert_in_range(disk_kmalloc_most, 1, 16384); /* the index of a directory has a bit for each slot */
}

static void names_that_come_and_go_take_no_memory(void **state)
{
    (void)state;
    on(middle, create_and_remove);
}

static void make_long_names(void)
{
    char path[300] = "/";

    for (unsigned i = 0; i < LONG_NAMES; i++) {
        snprintf(path + 1, sizeof path - 1, "%0200u", i);
        assert_int_equal(fs_put(path, path, 10), 0);
    }
    for (unsigned i = 0; i < LONG_NAMES; i += 2) {
        snprintf(path + 1, sizeof path - 1, "%0200u", i);
        assert_int_equal(fs_unlink(path), 0);
    }
    assert_int_equal(fs_list("/", got, MIB), LONG_NAMES / 2);
    snprintf(path + 1, sizeof path - 1, "%0255u", 1);
    assert_int_equal(fs_put(path, path, 10), 0);
    expect_bytes(path, path, 10);
    assert_int_equal(fs_sync("/"), 0);
    assert_int_equal(disk_run(disk, "mtype -i @ ::%0255u", 1), 0);
}

static void names_of_200_characters(void **state)
{
    (void)state;
    on(large, make_long_names);
    on(&geometries[6], make_long_names);
}

/* Write until nothing fits, free it all, and find as much again. */
static void fill_up(void)
{
    uint64_t before = fs_free_bytes();
    struct vnode *node;
    ssize_t done;

    for (unsigned round = 0; round < 2; round++) {
        uint64_t size = 0;
        assert_int_equal(fs_create("/full", S_IFREG | 0644, &node), 0);
        fill(buffer, MIB, round);
        while ((done = fs_write(node, buffer, 100000, size)) > 0)
            size += (uint64_t)done;
        assert_int_equal(done, -ENOSPC);
        assert_int_equal(size, before); /* to the last byte */
        assert_int_equal(fs_free_bytes(), 0);
        assert_int_equal(fs_mkdir("/directory"), -ENOSPC);
        assert_int_equal(fs_truncate(node, size + 1), -ENOSPC);
        assert_int_equal(node->size, size);
        assert_int_equal(fs_read(node, got, 100000, 1700000), 100000);
        fill(buffer, MIB, round);
        assert_memory_equal(got, buffer, 100000);
        vnode_put(node);
        assert_int_equal(fs_sync("/full"), 0);
        check_disk("full disk");
        assert_int_equal(fs_unlink("/full"), 0);
        assert_int_equal(fs_free_bytes(), before);
    }
}

static void a_full_disk_loses_and_leaks_nothing(void **state)
{
    (void)state;
    on(small, fill_up);
    on(&geometries[3], fill_up);
}

/* A file that lies in order is read ahead in large requests, also the first time, when its chain is not
 * known. */
static void read_in_order(void)
{
    struct vnode *node;

    put("/file", 5, MIB);
    assert_int_equal(disk_unmount(), 0);
    assert_int_equal(disk_mount(disk, false), 0);
    assert_int_equal(fs_open("/file", &node), 0);
    unsigned before = disk->requests;
    for (uint64_t at = 0; at < MIB; at += 4096)
        assert_int_equal(fs_read(node, got + at, 4096, at), 4096);
    vnode_put(node);
    fill(buffer, MIB, 5);
    assert_memory_equal(got, buffer, MIB);
    assert_in_range(disk->requests - before, 1, 40);
}

static void reading_in_order_takes_few_requests(void **state)
{
    (void)state;
    on(middle, read_in_order);
    on(&geometries[7], read_in_order);
}

static void use_one_gib(void)
{
    static const uint64_t places[] = {0, 123456789, 1024 * MIB - 100, 512 * MIB - 5, 700000001};
    struct vnode *node;
    char text[16];

    assert_int_equal(fs_create("/large", S_IFREG | 0644, &node), 0);
    assert_int_equal(fs_truncate(node, 1024 * MIB), 0);
    for (unsigned i = 0; i < sizeof places / sizeof *places; i++)
        assert_int_equal(fs_write(node, "0123456789abcdef", 16, places[i]), 16);
    for (unsigned i = 0; i < sizeof places / sizeof *places; i++) {
        assert_int_equal(fs_read(node, text, 16, places[i]), 16);
        assert_memory_equal(text, "0123456789abcdef", 16);
    }
    assert_int_equal(fs_read(node, text, 16, 300 * MIB), 16);
    assert_memory_equal(text, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    vnode_put(node);
}

static void a_file_of_one_gib(void **state)
{
    (void)state;
    on(large, use_one_gib);
}

static void rename_about(void)
{
    char from[64], to[64];

    assert_int_equal(fs_mkdir("/a"), 0);
    assert_int_equal(fs_mkdir("/b"), 0);
    for (unsigned i = 0; i < 8; i++) {
        snprintf(from, sizeof from, "/a/Name number %u", i);
        put(from, i, 1000 * i);
    }
    for (unsigned i = 0; i < 8; i++) {
        snprintf(from, sizeof from, "/a/Name number %u", i);
        snprintf(to, sizeof to, i % 2 ? "/b/A quite different and much longer name %u" : "/a/N%u", i);
        assert_int_equal(fs_rename(from, to), 0);
        expect_content(to, i, 1000 * i);
        assert_int_equal(fs_sync(from), -ENOENT);
    }
    assert_int_equal(fs_rename("/a/N2", "/a/N4"), 0); /* over an existing file */
    expect_content("/a/n4", 2, 2000);
    assert_int_equal(fs_rename("/a/N6", "/b/A quite different and much longer name 7"), 0);
    expect_content("/b/A quite different and much longer name 7", 6, 6000);
    assert_int_equal(fs_list("/a", got, MIB), 2);
    assert_int_equal(fs_list("/b", got, MIB), 4);
}

static void renaming_files(void **state)
{
    (void)state;
    on_each(rename_about);
}

static void move_directories(void)
{
    assert_int_equal(fs_mkdir("/from"), 0);
    assert_int_equal(fs_mkdir("/to"), 0);
    assert_int_equal(fs_mkdir("/from/inner"), 0);
    put("/from/inner/file", 1, 5000);
    assert_int_equal(fs_rename("/from/inner", "/to/inner"), 0);
    expect_content("/to/inner/file", 1, 5000);
    expect_content("/to/inner/../inner/file", 1, 5000);
    assert_int_equal(fs_sync("/from/inner"), -ENOENT);
    assert_int_equal(fs_rename("/to/inner", "/inner"), 0); /* its ".." is the root now */
    assert_int_equal(fs_unlink("/to"), 0);
    assert_int_equal(fs_unlink("/inner"), -ENOTEMPTY);
    assert_int_equal(fs_mkdir("/empty"), 0);
    assert_int_equal(fs_rename("/inner", "/empty"), 0);
    expect_content("/empty/file", 1, 5000);
}

static void moving_directories(void **state)
{
    (void)state;
    on_each(move_directories);
}

static void rename_wildly(void)
{
    char from[32], to[32];
    bool there[20] = {0};

    for (unsigned i = 0; i < 2000; i++) {
        unsigned a = moss_random() % 20, b = moss_random() % 20;
        snprintf(from, sizeof from, a % 2 ? "/n%u" : "/A longer name %u", a);
        snprintf(to, sizeof to, b % 2 ? "/n%u" : "/A longer name %u", b);
        if (!there[a]) {
            put(from, a, 10 * a);
            there[a] = true;
        }
        if (a == b)
            continue;
        assert_int_equal(fs_rename(from, to), 0);
        there[a] = false;
        there[b] = true;
    }
    for (unsigned a = 0; a < 20; a++) {
        snprintf(from, sizeof from, a % 2 ? "/n%u" : "/A longer name %u", a);
        assert_int_equal(fs_sync(from), there[a] ? 0 : -ENOENT);
    }
}

static void a_storm_of_renames(void **state)
{
    (void)state;
    on(small, rename_wildly);
    on(middle, rename_wildly);
}

static void unlink_open_files(void)
{
    uint64_t before = fs_free_bytes();
    struct vnode *node;

    put("/file", 1, 100000);
    node = open_node("/file");
    assert_int_equal(fs_unlink("/file"), 0);
    assert_int_equal(fs_sync("/"), 0);
    assert_int_equal(fs_write(node, "more", 4, 100000), 4);
    assert_int_equal(fs_read(node, got, MIB, 0), 100004);
    fill(buffer, 100000, 1);
    assert_memory_equal(got, buffer, 100000);
    put("/file", 2, 50000); /* another one of this name */
    expect_content("/file", 2, 50000);
    assert_int_equal(disk_unmount(), -EBUSY);
    vnode_put(node);
    assert_int_equal(fs_unlink("/file"), 0);
    assert_int_equal(fs_free_bytes(), before);
}

static void open_files_live_on_without_a_name(void **state)
{
    (void)state;
    on_each(unlink_open_files);
}

static void check_errors(void)
{
    struct vnode *node;

    put("/file", 1, 10);
    assert_int_equal(fs_create("/FILE", S_IFREG | 0644, &node), -EEXIST);
    assert_int_equal(fs_create("/link", S_IFLNK | 0777, &node), -EPERM);
    assert_int_equal(fs_create("/fifo", S_IFIFO | 0777, &node), -EPERM);
    assert_int_equal(fs_create("/a:b", S_IFREG | 0644, &node), -EINVAL);
    assert_int_equal(fs_create("/trailing ", S_IFREG | 0644, &node), -EINVAL);
    assert_int_equal(fs_mkdir("/none/directory"), -ENOENT);
    assert_int_equal(fs_mkdir("/file/directory"), -ENOTDIR);
    assert_int_equal(fs_unlink("/none"), -ENOENT);
    node = open_node("/file");
    assert_int_equal(fs_truncate(node, 1ul << 32), -EFBIG);
    assert_int_equal(fs_write(node, "x", 1, 0xffffffff), -EFBIG);
    vnode_put(node);
    assert_int_equal(disk_unmount(), 0);
    assert_int_equal(disk_mount(disk, true), 0);
    expect_content("/file", 1, 10);
    assert_int_equal(fs_mkdir("/directory"), -EROFS);
    assert_int_equal(fs_unlink("/file"), -EROFS);
    assert_int_equal(fs_rename("/file", "/other"), -EROFS);
    node = open_node("/file");
    assert_int_equal(fs_write(node, "x", 1, 0), -EROFS);
    assert_int_equal(fs_truncate(node, 0), -EROFS);
    vnode_put(node);
}

static void errors_are_linux_errors(void **state)
{
    (void)state;
    on(middle, check_errors);
}

static void keep_times_and_modes(void)
{
    int64_t then = 1234567890l * 1000000000;
    struct vnode *node;

    put("/file", 1, 10);
    node = open_node("/file");
    assert_int_equal(node->mode, S_IFREG | 0755);
    node->mtime = node->atime = then + 1500000000;
    node->mode = S_IFREG | 0444;
    assert_int_equal(node->ops->set_attributes(node), 0);
    vnode_put(node);
    assert_int_equal(disk_unmount(), 0);
    assert_int_equal(disk_mount(disk, false), 0);
    node = open_node("/file");
    assert_int_equal(node->mode, S_IFREG | 0555);
    assert_int_equal(node->mtime, then);                     /* in units of 2 seconds */
    assert_int_equal(node->atime, 1234483200l * 1000000000); /* the day */
    vnode_put(node);
    assert_int_equal(disk_run(disk, "mattrib -i @ ::file"), 0);
    assert_non_null(strchr(disk_output, 'R'));
    assert_int_equal(disk_run(disk, "TZ=UTC mdir -i @ ::file"), 0);
    assert_non_null(strstr(disk_output, "2009-02-13  23:31"));
}

static void times_and_the_read_only_bit_are_kept(void **state)
{
    (void)state;
    on(middle, keep_times_and_modes);
    on(large, keep_times_and_modes);
}

static int prepare(void **state)
{
    (void)state;
    buffer = malloc(MIB);
    got = malloc(MIB);
    return buffer && got ? 0 : -1;
}

static int clean_up(void **state)
{
    (void)state;
    free(buffer);
    free(got);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mtools_reads_what_moss_wrote),
        cmocka_unit_test(moss_reads_what_mtools_wrote),
        cmocka_unit_test(random_writes_and_truncations),
        cmocka_unit_test(ten_thousand_files_in_a_directory),
        cmocka_unit_test(names_that_come_and_go_take_no_memory),
        cmocka_unit_test(names_of_200_characters),
        cmocka_unit_test(a_full_disk_loses_and_leaks_nothing),
        cmocka_unit_test(reading_in_order_takes_few_requests),
        cmocka_unit_test(a_file_of_one_gib),
        cmocka_unit_test(renaming_files),
        cmocka_unit_test(moving_directories),
        cmocka_unit_test(a_storm_of_renames),
        cmocka_unit_test(open_files_live_on_without_a_name),
        cmocka_unit_test(errors_are_linux_errors),
        cmocka_unit_test(times_and_the_read_only_bit_are_kept),
    };

    return cmocka_run_group_tests(tests, prepare, clean_up);
}
