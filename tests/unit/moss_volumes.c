/* Volumes of every kind, for the tests of Moss's FAT. */
#include "tests/unit/moss_volumes.h"

/* What mformat makes these from is a number of sectors for each cluster. */
static const struct {
    const char *name, *option;
    uint64_t size;
    unsigned cluster_sectors;
} volumes[VOLUMES] = {
    [FAT12_512] = {"FAT12, 512 bytes", "", 2 * MIB, 1},
    [FAT12_4K] = {"FAT12, 4 KiB", "", 8 * MIB, 8},
    [FAT12_32K] = {"FAT12, 32 KiB", "", 64 * MIB, 64},
    [FAT16_512] = {"FAT16, 512 bytes", "", 16 * MIB, 1},
    [FAT16_2K] = {"FAT16, 2 KiB", "", 32 * MIB, 4},
    [FAT16_32K] = {"FAT16, 32 KiB", "", 1024 * MIB, 64},
    [FAT32_512] = {"FAT32, 512 bytes", "-F", 40 * MIB, 1},
    [FAT32_4K] = {"FAT32, 4 KiB", "-F", 300 * MIB, 8},
    [FAT32_32K] = {"FAT32, 32 KiB", "-F", 2200 * MIB, 64},
};

struct disk *disk;
char buffer[MIB], got[MIB];

void check_disk(const char *what)
{
    assert_string_equal(disk_warnings, "");
    if (disk_run(disk, "fsck.fat -n @") != 0)
        fail_msg("%s: fsck.fat is not content:\n%s", what, disk_output);
}

void on(enum volume kind, void (*work)(void))
{
    *disk_warnings = 0;
    disk = disk_create(volumes[kind].size);
    assert_int_equal(disk_run(disk, "mformat -i @ -T %lu -h 16 -s 63 -c %u -v LABEL %s ::",
                              volumes[kind].size / SECTOR_SIZE, volumes[kind].cluster_sectors,
                              volumes[kind].option),
                     0);
    assert_int_equal(disk_mount(disk, false), 0);
    work();
    assert_int_equal(disk_unmount(), 0);
    check_disk(volumes[kind].name);
    disk_destroy(disk);
}

void on_each(void (*work)(void))
{
    for (enum volume kind = 0; kind < VOLUMES; kind++)
        on(kind, work);
}

void fill(char *to, size_t n, unsigned seed)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (char)((seed * 7919 + i) * 2654435761u >> 13);
}

void put(const char *path, unsigned seed, size_t n)
{
    fill(buffer, n, seed);
    assert_int_equal(fs_put(path, buffer, n), 0);
}

void expect_file(const char *path, const char *expected, size_t n)
{
    assert_int_equal(fs_get(path, got, MIB), n);
    assert_memory_equal(got, expected, n);
}

void expect_content(const char *path, unsigned seed, size_t n)
{
    fill(buffer, n, seed);
    expect_file(path, buffer, n);
}

struct vnode *open_node(const char *path)
{
    struct vnode *node;

    assert_int_equal(fs_open(path, &node), 0);
    return node;
}
