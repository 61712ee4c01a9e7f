/* Moss's FAT: what is in files, on every kind of volume, checked by fsck.fat, and by mtools for the same
 * bytes. */
/* sources: guestos/fs/fat_*.c guestos/fs/block*.c guestos/fs/vnode.c guestos/fs/path.c tests/unit/moss_*.c */
#include <unistd.h>
#include "tests/unit/moss_volumes.h"

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
    expect_file("/file", model, size);
    vnode_put(node);
    assert_int_equal(disk_unmount(), 0);
    assert_int_equal(disk_mount(disk, false), 0);
    expect_file("/file", model, size);
}

static void random_writes_and_truncations(void **state)
{
    (void)state;
    on_each(change_one_file_at_random);
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
    on(FAT12_512, fill_up);
    on(FAT16_512, fill_up);
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
    on(FAT16_2K, read_in_order);
    on(FAT32_4K, read_in_order);
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
    on(FAT32_32K, use_one_gib);
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
    on(FAT16_2K, check_errors);
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
    on(FAT16_2K, keep_times_and_modes);
    on(FAT32_32K, keep_times_and_modes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mtools_reads_what_moss_wrote),
        cmocka_unit_test(moss_reads_what_mtools_wrote),
        cmocka_unit_test(random_writes_and_truncations),
        cmocka_unit_test(a_full_disk_loses_and_leaks_nothing),
        cmocka_unit_test(reading_in_order_takes_few_requests),
        cmocka_unit_test(a_file_of_one_gib),
        cmocka_unit_test(open_files_live_on_without_a_name),
        cmocka_unit_test(errors_are_linux_errors),
        cmocka_unit_test(times_and_the_read_only_bit_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
