/* FAT: a volume as a whole: what its first sector says, mount and umount. */
#include "errno.h"
#include "fat.h"
#include "filesystem.h"
#include "heap.h"
#include "printk.h"
#include "string.h"

#define MSDOS_MAGIC 0x4d44 /* statfs(2) */
#define FAT12_BELOW 4085   /* clusters; fatgen, "FAT Type Determination" */
#define FAT16_BELOW 65525
#define INFO_LEAD   0x41615252
#define INFO_STRUCT 0x61417272
#define MIRROR_OFF  0x80 /* in ext_flags: only one copy of the table counts */

/* fatgen, "Boot Sector and BPB Structure"; the part from fat_size32 on is FAT32's. */
struct boot_sector {
    uint8_t jump[3], oem[8];
    uint16_t sector_size;
    uint8_t cluster_sectors;
    uint16_t reserved;
    uint8_t copies;
    uint16_t root_entries, sectors16;
    uint8_t media;
    uint16_t fat_size16, track, heads;
    uint32_t hidden, sectors32, fat_size32;
    uint16_t ext_flags, version;
    uint32_t root_cluster;
    uint16_t info, backup;
} __attribute__((packed));

void fat_lock(struct fat *fat)
{
    mutex_lock(&fat->lock);
}

void fat_put_later(struct fat_node *node)
{
    if (node->puts++ == 0)
        list_add_before(&node->fat->puts, &node->put_link);
}

/* A node that goes gives back its parent, and so on: one loop does it for all, lest the stack grow with the
 * depth. */
void fat_unlock(struct fat *fat)
{
    bool leave = fat->putting;

    fat->putting = true;
    while (!leave && !list_empty(&fat->puts)) {
        struct fat_node *node = list_entry(fat->puts.next, struct fat_node, put_link);
        if (--node->puts == 0)
            list_del(&node->put_link);
        mutex_unlock(&fat->lock);
        vnode_put(node->vnode); /* its release takes the lock */
        mutex_lock(&fat->lock);
    }
    fat->putting = leave;
    mutex_unlock(&fat->lock);
}

int fat_damaged(struct fat *fat, const char *what, uint64_t where)
{
    if (!fat->damaged)
        warn("%s: the FAT file system is damaged: %s %lu; it is read-only from here on\r\n",
             fat->device->name, what, where);
    fat->damaged = true;
    fat->mount.read_only = true;
    return -EUCLEAN;
}

static bool power_of_two(uint32_t n)
{
    return n && !(n & (n - 1));
}

/* Can this be the first sector of a FAT volume at all? */
static bool plausible(const struct boot_sector *boot)
{
    return power_of_two(boot->sector_size) && boot->sector_size >= 512 && boot->sector_size <= 4096 &&
           power_of_two(boot->cluster_sectors) && boot->reserved && boot->copies && boot->copies <= 4 &&
           (boot->media >= 0xf8 || boot->media == 0xf0) && (boot->sectors16 || boot->sectors32) &&
           (boot->fat_size16 || (boot->fat_size32 && boot->version == 0)) &&
           boot->root_entries * FAT_SLOT % boot->sector_size == 0;
}

/* Where the parts of the volume are, in bytes. Returns 0 or -EINVAL. */
static int lay_out(struct fat *fat, const struct boot_sector *boot)
{
    uint64_t sector = boot->sector_size, size = boot->sectors16 ? boot->sectors16 : boot->sectors32;
    uint64_t device_size = fat->device->sectors * SECTOR_SIZE;

    size *= sector;
    fat->cluster_size = sector * boot->cluster_sectors;
    fat->copies = boot->copies;
    fat->table = boot->reserved * sector;
    fat->table_bytes = (boot->fat_size16 ? boot->fat_size16 : boot->fat_size32) * sector;
    fat->root = fat->table + fat->copies * fat->table_bytes;
    fat->root_slots = boot->root_entries;
    fat->data = fat->root + fat->root_slots * FAT_SLOT;
    if (fat->data >= size || fat->data >= device_size)
        return -EINVAL;
    uint64_t clusters = (size - fat->data) / fat->cluster_size;
    fat->bits = !boot->fat_size16 ? 32 : clusters < FAT12_BELOW ? 12 : 16;
    uint64_t entries = fat->table_bytes * 8 / fat->bits,
             there = (device_size - fat->data) / fat->cluster_size;
    if (entries < 3 || clusters == 0 || there == 0 || (fat->bits == 16 && clusters >= FAT16_BELOW) ||
        (fat->bits == 32) != (fat->root_slots == 0))
        return -EINVAL;
    clusters = MIN(MIN(clusters, entries - 2), FAT_BAD - 2);
    fat->clusters = MIN(clusters, there);
    if (clusters > there)
        fat_damaged(fat, "the disk ends before cluster", clusters + 1);
    return 0;
}

static int read_info(struct fat *fat, uint64_t place)
{
    uint32_t lead, rest[3];
    int error = cache_read(fat->device, place, &lead, sizeof(lead));

    if (error == 0)
        error = cache_read(fat->device, place + 484, rest, sizeof(rest));
    if (error || lead != INFO_LEAD || rest[0] != INFO_STRUCT)
        return error;
    fat->info = place;
    fat->told = rest[1];
    return 0;
}

/* What only FAT32 has. */
static int read_fat32(struct fat *fat, const struct boot_sector *boot)
{
    fat->root_cluster = boot->root_cluster;
    if (!fat_valid(fat, fat->root_cluster))
        return fat_damaged(fat, "the root directory is said to be at cluster", fat->root_cluster);
    if (boot->ext_flags & MIRROR_OFF) {
        unsigned active = boot->ext_flags & 15;
        if (active >= fat->copies)
            return -EINVAL;
        fat->table += active * fat->table_bytes;
        fat->copies = 1;
    }
    if (boot->info == 0 || boot->info >= boot->reserved)
        return 0;
    return read_info(fat, (uint64_t)boot->info * boot->sector_size);
}

static int read_volume(struct fat *fat)
{
    struct boot_sector boot;
    int error = cache_read(fat->device, 0, &boot, sizeof(boot));

    if (error == 0)
        error = plausible(&boot) ? lay_out(fat, &boot) : -EINVAL;
    if (error == 0 && fat->bits == 32)
        error = read_fat32(fat, &boot);
    return error ? error : fat_scan(fat);
}

static void fat_info(struct mount *mount, struct filesystem_info *out)
{
    struct fat *fat = mount->data;

    fat_lock(fat);
    if (fat->pending)
        fat_commit(fat); /* what was just removed is free, too */
    *out = (struct filesystem_info){MSDOS_MAGIC, fat->cluster_size, fat->clusters, fat->free};
    fat_unlock(fat);
}

static void destroy(struct fat *fat)
{
    block_own(fat->device, NULL);
    kfree(fat->used);
    kfree(fat->freed);
    kfree(fat);
}

static int fat_unmount(struct mount *mount)
{
    struct fat *fat = mount->data;

    fat_lock(fat);
    fat_forget_recent(fat, NULL);
    int error = fat_commit(fat);
    fat_unlock(fat);
    if (error)
        return error;
    if (fat->node_count > 1 || mount->root->refs > 1)
        return -EBUSY;
    vnode_put(mount->root);
    cache_drop(fat->device);
    destroy(fat);
    return 0;
}

static int sync_owned(void *fat)
{
    return fat_sync(fat);
}

static struct fat *make_fat(struct block_device *device, bool read_only)
{
    struct fat *fat = kmalloc(sizeof(*fat));

    if (!fat)
        return NULL;
    fat->device = device;
    fat->owner = (struct block_owner){sync_owned, fat};
    fat->mount = (struct mount){.read_only = read_only, .ignores_case = true, .data = fat};
    fat->mount.info = fat_info;
    fat->mount.unmount = fat_unmount;
    mutex_init(&fat->lock);
    for (unsigned i = 0; i < FAT_NODE_CHAINS; i++)
        list_init(&fat->nodes[i]);
    list_init(&fat->dirty);
    list_init(&fat->puts);
    return fat;
}

static int fat_mount(struct block_device *device, bool read_only, struct mount **out)
{
    struct fat *fat = make_fat(device, read_only);

    if (!fat)
        return -ENOMEM;
    int error = block_own(device, &fat->owner);
    if (error) {
        kfree(fat);
        return error;
    }
    error = read_volume(fat);
    if (error == 0)
        error = fat_node_root(fat, &fat->mount.root);
    if (error) {
        destroy(fat);
        return error;
    }
    *out = &fat->mount;
    return 0;
}

FILESYSTEM(vfat, "vfat", fat_mount);
