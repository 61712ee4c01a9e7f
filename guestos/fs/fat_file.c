/* FAT: the contents of files: read, write, truncate. */
#include "clock.h"
#include "errno.h"
#include "fat.h"
#include "printk.h"

/* Where the next piece of [offset, offset + n) is. Returns its length, or -errno; the file is so long by all
 * that is known, so a chain that ends before is damage. */
static ssize_t piece_at(struct fat_node *node, uint64_t offset, uint64_t n, uint64_t *position)
{
    uint64_t bytes;

    fat_lock(node->fat);
    int found = fat_map(node, offset, position, &bytes);
    if (found == 0)
        found = fat_damaged(node->fat, "a chain is too short for its file, at cluster", node->start);
    fat_unlock(node->fat);
    return found < 0 ? found : (ssize_t)MIN(n, bytes);
}

static void read_ahead(struct fat_node *node, uint64_t offset, size_t n)
{
    uint64_t more = read_ahead_plan(&node->ahead, offset, n), from = node->ahead.done - more, position;
    uint64_t end = MIN(node->ahead.done, node->vnode->size);

    if (more && from < end)
        piece_at(node, end - 1, 1, &position); /* know the chain so far: its pieces are long then */
    while (more && from < end) {
        ssize_t part = piece_at(node, from, end - from, &position);
        if (part <= 0)
            break;
        cache_read_ahead(node->fat->device, position, part);
        from += part;
    }
}

static ssize_t fat_read(struct vnode *vnode, void *to, size_t n, uint64_t offset)
{
    struct fat_node *node = fat_node_of(vnode);
    uint64_t position;

    if (offset >= vnode->size)
        return 0;
    n = MIN(n, vnode->size - offset);
    read_ahead(node, offset, n);
    for (size_t done = 0; done < n;) {
        ssize_t part = piece_at(node, offset + done, n - done, &position);
        int error = part < 0 ? part : cache_read(node->fat->device, position, (char *)to + done, part);
        if (error)
            return done ? (ssize_t)done : error;
        done += part;
    }
    return n;
}

/* Write into clusters that the file has; `from` NULL: zeros. Returns the number of bytes, or -errno. */
static ssize_t put_bytes(struct fat_node *node, const void *from, uint64_t n, uint64_t offset)
{
    uint64_t position, done = 0;

    while (done < n) {
        ssize_t part = piece_at(node, offset + done, n - done, &position);
        const char *bytes = from ? (const char *)from + done : NULL;
        int error = part < 0 ? part : cache_write(node->fat->device, position, bytes, part, CACHE_EARLY);
        if (error)
            return done ? (ssize_t)done : error;
        done += part;
    }
    return done;
}

/* The file is so long now. */
static int set_size(struct fat_node *node, uint64_t size)
{
    fat_lock(node->fat);
    node->vnode->size = size;
    node->vnode->mtime = node->vnode->ctime = clock_wall_ns();
    node->attributes |= FAT_ARCHIVE;
    fat_mark_dirty(node);
    int error = fat_relieve(node->fat);
    fat_unlock(node->fat);
    return error;
}

static uint32_t clusters_for(const struct fat *fat, uint64_t size)
{
    return (size + fat->cluster_size - 1) / fat->cluster_size;
}

/*
 * Have clusters for `size` bytes. On a full disk, if there is none for the byte at `least`, what was taken is
 * given back. Returns the number of bytes that there is room for, or -errno.
 */
static ssize_t reserve(struct fat_node *node, uint64_t size, uint64_t least)
{
    struct fat *fat = node->fat;

    fat_lock(fat);
    int error = fat->mount.read_only ? -EROFS : fat_chain_extend(node, clusters_for(fat, size));
    ssize_t room = error ? error : (ssize_t)size;
    if (error == -ENOSPC) {
        uint64_t have = (uint64_t)node->known * fat->cluster_size;
        room = have > least ? (ssize_t)have : error;
        if (have <= least && node->known > clusters_for(fat, node->vnode->size))
            fat_chain_trim(node, clusters_for(fat, node->vnode->size));
    }
    fat_unlock(fat);
    return room;
}

/* The file ends before `offset`: what is between is zeros. */
static int fill_gap(struct fat_node *node, uint64_t offset)
{
    uint64_t size = node->vnode->size;

    if (offset <= size)
        return 0;
    ssize_t done = put_bytes(node, NULL, offset - size, size);
    if (done < 0)
        return done;
    return (uint64_t)done == offset - size ? set_size(node, offset) : -EIO;
}

static ssize_t fat_write(struct vnode *vnode, const void *from, size_t n, uint64_t offset)
{
    struct fat_node *node = fat_node_of(vnode);

    if (n == 0)
        return 0;
    if (offset >= FAT_SIZE_MAX)
        return -EFBIG;
    n = MIN(n, FAT_SIZE_MAX - offset);
    ssize_t room = reserve(node, MAX(offset + n, vnode->size), offset);
    if (room < 0)
        return room;
    n = MIN(n, room - offset);
    ssize_t done = fill_gap(node, offset);
    if (done == 0)
        done = put_bytes(node, from, n, offset);
    if (done <= 0)
        return done;
    int error = set_size(node, MAX(vnode->size, offset + done));
    return error ? error : done;
}

static int shrink(struct fat_node *node, uint64_t size)
{
    struct fat *fat = node->fat;

    fat_lock(fat);
    node->vnode->size = size;
    fat_mark_dirty(node);
    int error = fat_chain_trim(node, clusters_for(fat, size));
    fat_unlock(fat);
    return error;
}

static int fat_truncate(struct vnode *vnode, uint64_t size)
{
    struct fat_node *node = fat_node_of(vnode);

    if (size > FAT_SIZE_MAX)
        return -EFBIG;
    if (node->fat->mount.read_only)
        return -EROFS;
    if (size <= vnode->size) {
        int error = shrink(node, size);
        return error ? error : set_size(node, size);
    }
    ssize_t room = reserve(node, size, size - 1);
    if (room < 0)
        return room;
    return fill_gap(node, size);
}

const struct vnode_ops fat_ops = {
    .lookup = fat_lookup,
    .create = fat_create,
    .unlink = fat_unlink,
    .rename = fat_rename,
    .readdir = fat_readdir,
    .read = fat_read,
    .write = fat_write,
    .truncate = fat_truncate,
    .set_attributes = fat_set_attributes,
    .sync = fat_sync_node,
    .release = fat_release,
};
