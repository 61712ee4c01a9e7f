/* Fuzz Moss's FAT: the input changes bytes of a good volume; then everything on it is walked, read, and
 * written to. */
/* sources: guestos/fs/fat_*.c guestos/fs/block*.c guestos/fs/vnode.c guestos/fs/path.c tests/unit/moss_*.c */
#include <unistd.h>
#include "tests/unit/moss_disk.h"

#define SECTORS     400
#define READ_MAX    100000 /* bytes of one file */
#define DEPTH_MAX   8
#define ENTRIES_MAX 300 /* of all directories */

static unsigned entries;
static char bytes[READ_MAX];

/* A volume with something of everything, made once. */
static void make_good(char *image, bool fat32)
{
    struct disk *disk = disk_create(SECTORS * SECTOR_SIZE);

    disk_run(disk, "mformat -i @ -T %d -h 16 -s 63 -c 1 -r 2 -R 2 ::", SECTORS);
    disk_peek(disk, 0, image, SECTORS * SECTOR_SIZE);
    if (fat32) { /* mformat makes no small ones */
        static const uint32_t lead = 0x41615252, rest[3] = {0x61417272, 300, 50}; /* of the FSInfo sector */
        uint8_t table_sectors = (uint8_t)image[22];
        image[17] = image[18] = image[22] = 0; /* no root directory of its own, no table of FAT16 */
        memset(image + 36, 0, 54);
        image[36] = (char)table_sectors;
        image[44] = 2;                  /* where the root directory begins */
        memset(image + 1024, 0xff, 12); /* its end */
        image[48] = 1;                  /* where the FSInfo sector is */
        memcpy(image + 512, &lead, sizeof lead);
        memcpy(image + 512 + 484, rest, sizeof rest);
        disk_poke(disk, 0, image, SECTORS * SECTOR_SIZE);
    }
    if (disk_mount(disk, false) != 0)
        abort();
    memset(bytes, 'x', sizeof bytes);
    fs_mkdir("/directory");
    fs_mkdir("/directory/A directory with a long name");
    fs_put("/directory/A directory with a long name/file", bytes, 5000);
    fs_put("/file", bytes, 3000);
    fs_put("/Another file.text", bytes, 10);
    disk_unmount();
    disk_peek(disk, 0, image, SECTORS * SECTOR_SIZE);
    disk_destroy(disk);
}

static void walk(struct vnode *dir, unsigned depth);

struct listing {
    struct vnode *dir;
    char names[32][NAME_MAX + 1];
    unsigned count;
};

static bool take(void *arg, const char *name, uint64_t ino, uint32_t mode, uint64_t next)
{
    struct listing *listing = arg;

    (void)ino;
    (void)mode;
    (void)next;
    snprintf(listing->names[listing->count], NAME_MAX + 1, "%s", name);
    return ++listing->count < 32;
}

static void use_file(struct vnode *node)
{
    if (fs_read(node, bytes, sizeof bytes, 0) > 0)
        fs_read(node, bytes, 10, node->size - 1);
    fs_write(node, bytes, 2000, node->size / 2);
    fs_truncate(node, node->size / 3);
}

static void use_entry(struct vnode *dir, const char *name, unsigned depth)
{
    struct vnode *node;

    if (entries++ > ENTRIES_MAX)
        return;
    mutex_lock(&tree_lock);
    int error = dir->ops->lookup(dir, name, &node);
    mutex_unlock(&tree_lock);
    if (error)
        return;
    if (S_ISDIR(node->mode))
        walk(node, depth + 1);
    else
        use_file(node);
    if (entries % 3 == 0)
        dir->ops->rename(dir, name, mounts->root, "A new name");
    if (entries % 4 == 0)
        dir->ops->unlink(dir, name, node);
    vnode_put(node);
}

static void walk(struct vnode *dir, unsigned depth)
{
    struct listing *listing = calloc(1, sizeof *listing);
    struct vnode *node;

    if (!listing || depth > DEPTH_MAX) {
        free(listing);
        return;
    }
    listing->dir = dir;
    dir->ops->readdir(dir, 0, take, listing);
    for (unsigned i = 0; i < listing->count; i++)
        use_entry(dir, listing->names[i], depth);
    if (dir->ops->create(dir, "A file that is new", S_IFREG | 0644, NULL, &node) == 0) {
        use_file(node);
        vnode_put(node);
    }
    if (dir->ops->create(dir, "sub", S_IFDIR | 0755, NULL, &node) == 0)
        vnode_put(node);
    free(listing);
}

/* Each three bytes: where, within what matters most, and what to put there; a fourth of them go anywhere. */
static void damage(char *image, const uint8_t *data, size_t size)
{
    for (; size >= 3; data += 3, size -= 3) {
        unsigned at = data[0] | (unsigned)data[1] << 8;
        at = at % 4 ? at % (12 * SECTOR_SIZE) : at % (SECTORS * SECTOR_SIZE);
        image[at] = (char)data[2];
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char good[2][SECTORS * SECTOR_SIZE], image[SECTORS * SECTOR_SIZE];
    static bool made;

    if (!made) {
        make_good(good[0], false);
        make_good(good[1], true);
        made = true;
    }
    if (size == 0)
        return 0;
    memcpy(image, good[data[0] & 1], sizeof image);
    damage(image, data + 1, size - 1);
    struct disk *disk = disk_create(SECTORS * SECTOR_SIZE);
    disk_poke(disk, 0, image, sizeof image);
    *disk_warnings = 0;
    entries = 0;
    if (disk_mount(disk, data[0] & 2) == 0) {
        walk(mounts->root, 0);
        mounts->root->ops->sync(mounts->root);
        if (disk_unmount() != 0)
            abort(); /* nobody uses it */
    }
    disk_destroy(disk);
    return 0;
}
