/* Moss's FAT: names: many in a directory, long ones, ones that come and go, and renames; checked by fsck.fat.
 */
/* sources: guestos/fs/fat_*.c guestos/fs/block*.c guestos/fs/vnode.c guestos/fs/path.c tests/unit/moss_*.c */
#include "tests/unit/moss_volumes.h"

#define MANY       10000
#define LONG_NAMES 500

static void make_many(void)
{
    char path[64];

    assert_int_equal(fs_mkdir("/many"), 0);
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(path, sizeof path, "/many/A file with number %u", i);
        assert_int_equal(fs_put(path, path, i % 100 == 0 ? strlen(path) : 0), 0);
    }
    assert_int_equal(fs_list("/many", NULL, 0), MANY);
    expect_file("/many/a FILE with number 9900", "/many/A file with number 9900", 29);
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
    on(FAT32_512, make_many);
    on(FAT32_4K, make_many);
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
    on(FAT16_2K, create_and_remove);
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
    expect_file(path, path, 10);
    assert_int_equal(fs_sync("/"), 0);
    assert_int_equal(disk_run(disk, "mtype -i @ ::%0255u", 1), 0);
}

static void names_of_200_characters(void **state)
{
    (void)state;
    on(FAT32_32K, make_long_names);
    on(FAT32_512, make_long_names);
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
    on(FAT12_512, rename_wildly);
    on(FAT16_2K, rename_wildly);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_thousand_files_in_a_directory),
        cmocka_unit_test(names_that_come_and_go_take_no_memory),
        cmocka_unit_test(names_of_200_characters),
        cmocka_unit_test(renaming_files),
        cmocka_unit_test(moving_directories),
        cmocka_unit_test(a_storm_of_renames),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
