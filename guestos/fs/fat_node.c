/* FAT: nodes: one for each file that is in use, found by where its entry is on the disk. */
#include "errno.h"
#include "fat.h"
#include "heap.h"
#include "string.h"

#define MODE_FILE      (S_IFREG | 0755) /* FAT knows no execute bit: any file may be a program */
#define MODE_DIRECTORY (S_IFDIR | 0755)
#define WRITE_BITS     0222
#define ROOT_INO       1

static struct list *chain_of(struct fat *fat, uint64_t entry)
{
    return &fat->nodes[entry / FAT_SLOT % FAT_NODE_CHAINS];
}

static void set_mode(struct vnode *node, uint8_t attributes)
{
    node->mode = attributes & FAT_DIRECTORY ? MODE_DIRECTORY : MODE_FILE;
    if (attributes & FAT_READ_ONLY)
        node->mode &= ~WRITE_BITS;
}

static struct fat_node *make_node(struct fat *fat, uint8_t attributes)
{
    struct vnode *vnode = vnode_create(&fat_ops, 0, &fat->mount);
    struct fat_node *node = kmalloc(sizeof(*node));

    if (!vnode || !node) {
        kfree(vnode);
        kfree(node);
        return NULL;
    }
    node->fat = fat;
    node->vnode = vnode;
    node->attributes = attributes;
    node->errors_told = fat->device->write_errors;
    list_init(&node->hash_link);
    list_init(&node->dirty_link);
    list_init(&node->put_link);
    vnode->data = node;
    fat->node_count++;
    set_mode(vnode, attributes);
    return node;
}

void fat_node_move(struct fat_node *node, uint64_t entry, uint32_t slot, uint32_t slots)
{
    list_del(&node->hash_link);
    node->entry = entry;
    node->slot = slot;
    node->slots = slots;
    node->vnode->ino = entry ? entry / FAT_SLOT : node->vnode->ino;
    if (entry)
        list_add_before(chain_of(node->fat, entry), &node->hash_link);
}

/* One more reference, unless the last one has just gone. */
static bool try_get(struct vnode *vnode)
{
    uint32_t refs = __atomic_load_n(&vnode->refs, __ATOMIC_RELAXED);

    while (refs)
        if (__atomic_compare_exchange_n(&vnode->refs, &refs, refs + 1, false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_RELAXED))
            return true;
    return false;
}

static struct vnode *find_node(struct fat *fat, uint64_t entry)
{
    list_for_each (link, chain_of(fat, entry)) {
        struct fat_node *node = list_entry(link, struct fat_node, hash_link);
        if (node->entry == entry && try_get(node->vnode))
            return node->vnode;
    }
    return NULL;
}

/* Is this cluster the beginning of the directory or of one above it? Then they go in a circle. */
static bool is_above(const struct vnode *dir, uint32_t start)
{
    for (const struct vnode *at = dir; at && at->ops == &fat_ops; at = at->parent)
        if (fat_node_of(at)->start == start)
            return true;
    return false;
}

/* Can a file be as the entry says? */
static int check_entry(struct vnode *dir, const struct fat_entry *entry, uint32_t start)
{
    struct fat *fat = fat_of(dir);
    bool is_dir = entry->raw.attributes & FAT_DIRECTORY;

    if (start ? !fat_valid(fat, start) : is_dir || entry->raw.size != 0)
        return fat_damaged(fat, "an entry names cluster", start);
    if (is_dir && is_above(dir, start))
        return fat_damaged(fat, "a directory contains itself, at cluster", start);
    if (!is_dir && entry->raw.size > (uint64_t)fat->clusters * fat->cluster_size)
        return fat_damaged(fat, "a file is larger than the disk, at cluster", start);
    return 0;
}

static void read_entry(struct fat_node *node, const struct fat_short *raw)
{
    struct vnode *vnode = node->vnode;

    vnode->size = raw->attributes & FAT_DIRECTORY ? 0 : raw->size;
    vnode->mtime = vnode->ctime = fat_time_to_ns(raw->write_date, raw->write_time);
    vnode->atime = fat_time_to_ns(raw->access_date, 0);
}

/* Directories stay for a while: they keep their indexes. */
static void keep_recent(struct fat *fat, struct vnode *dir)
{
    struct vnode **place = &fat->recent[fat->recent_next];

    for (unsigned i = 0; i < FAT_RECENT; i++)
        if (fat->recent[i] == dir)
            return;
    if (*place)
        fat_put_later(fat_node_of(*place));
    *place = vnode_get(dir);
    fat->recent_next = (fat->recent_next + 1) % FAT_RECENT;
}

int fat_node_get(struct vnode *dir, const struct fat_entry *entry, struct vnode **out)
{
    struct fat *fat = fat_of(dir);
    uint32_t start = entry->raw.start_low | (fat->bits == 32 ? (uint32_t)entry->raw.start_high << 16 : 0);

    *out = find_node(fat, entry->position);
    if (*out)
        return 0;
    int error = check_entry(dir, entry, start);
    if (error)
        return error;
    struct fat_node *node = make_node(fat, entry->raw.attributes);
    if (!node)
        return -ENOMEM;
    node->start = start;
    read_entry(node, &entry->raw);
    fat_node_move(node, entry->position, entry->slot, entry->slots);
    *out = node->vnode;
    if (S_ISDIR(node->vnode->mode)) {
        node->vnode->parent = vnode_get(dir);
        keep_recent(fat, node->vnode);
    }
    return 0;
}

int fat_node_root(struct fat *fat, struct vnode **out)
{
    struct fat_node *node = make_node(fat, FAT_DIRECTORY);

    if (!node)
        return -ENOMEM;
    node->start = fat->root_cluster;
    node->vnode->ino = ROOT_INO;
    *out = node->vnode;
    return 0;
}

void fat_fill_entry(const struct fat_node *node, struct fat_short *entry)
{
    uint16_t unused;

    entry->attributes = node->attributes;
    entry->start_high = node->fat->bits == 32 ? node->start >> 16 : 0;
    entry->start_low = node->start;
    entry->size = node->attributes & FAT_DIRECTORY ? 0 : node->vnode->size;
    fat_time_from_ns(node->vnode->mtime, &entry->write_date, &entry->write_time);
    fat_time_from_ns(node->vnode->atime, &entry->access_date, &unused);
}

int fat_set_attributes(struct vnode *vnode)
{
    struct fat_node *node = fat_node_of(vnode);
    uint8_t read_only = vnode->mode & WRITE_BITS ? 0 : FAT_READ_ONLY;
    uint16_t date, time;

    if (node->fat->mount.read_only)
        return -EROFS;
    fat_lock(node->fat);
    node->attributes = (node->attributes & ~FAT_READ_ONLY) | read_only;
    set_mode(vnode, node->attributes); /* other bits are not kept, and nobody owns files here */
    vnode->uid = vnode->gid = 0;
    fat_time_from_ns(vnode->mtime, &date, &time);
    vnode->mtime = fat_time_to_ns(date, time);
    fat_time_from_ns(vnode->atime, &date, &time);
    vnode->atime = fat_time_to_ns(date, 0);
    fat_mark_dirty(node);
    fat_unlock(node->fat);
    return 0;
}

void fat_release(struct vnode *vnode)
{
    struct fat_node *node = fat_node_of(vnode);
    struct fat *fat = node->fat;

    fat_lock(fat);
    list_del(&node->hash_link);
    fat->node_count--;
    if (node->removed && node->start) { /* it lived on while somebody had it open */
        if (node->link_from)
            fat_free_later(fat, 0, node->link_to);
        fat_free_later(fat, 0, node->start);
    }
    if (vnode->parent)
        fat_put_later(fat_node_of(vnode->parent));
    fat_unlock(fat);
    fat_index_free(node);
    kfree(node->runs);
    kfree(node);
}

void fat_forget_recent(struct fat *fat, struct vnode *node)
{
    for (unsigned i = 0; i < FAT_RECENT; i++) {
        if (!fat->recent[i] || (node && fat->recent[i] != node))
            continue;
        fat_put_later(fat_node_of(fat->recent[i]));
        fat->recent[i] = NULL;
    }
}
