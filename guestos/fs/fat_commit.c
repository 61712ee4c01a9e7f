/* FAT: making changes durable, in an order that leaves the disk sound wherever it stops. See fat.h. */
#include "errno.h"
#include "fat.h"
#include "string.h"

#define INFO_FREE 488 /* offset in the FSInfo sector; the hint where to look for a free cluster follows */

void fat_mark_dirty(struct fat_node *node)
{
    if (node->removed || !list_empty(&node->dirty_link))
        return;
    vnode_get(node->vnode);
    list_add_before(&node->fat->dirty, &node->dirty_link);
}

void fat_forget_dirty(struct fat_node *node)
{
    if (list_empty(&node->dirty_link))
        return;
    list_del(&node->dirty_link);
    fat_put_later(node);
}

/* Hang new parts of chains, which the disk has by now, on the old ones. */
static int join_chains(struct fat *fat)
{
    bool any = false;

    list_for_each (link, &fat->dirty) {
        struct fat_node *node = list_entry(link, struct fat_node, dirty_link);
        if (!node->link_from)
            continue;
        int error = fat_set(fat, node->link_from, node->link_to);
        if (error)
            return error;
        node->link_from = 0; /* from now on the table has it, also if that cannot be written yet */
        any = true;
    }
    return any ? cache_write_out(fat->device, CACHE_EARLY) : 0;
}

static int write_entry(struct fat_node *node)
{
    struct block_device *device = node->fat->device;
    struct fat_short entry;

    if (!node->entry)
        return 0; /* the root directory, or removed */
    int error = cache_read(device, node->entry, &entry, sizeof(entry));
    if (error)
        return error;
    fat_fill_entry(node, &entry);
    return cache_write(device, node->entry, &entry, sizeof(entry), CACHE_LATE);
}

static int write_info(struct fat *fat)
{
    uint32_t numbers[2] = {fat->free, fat->next};

    if (!fat->info || fat->told == fat->free)
        return 0;
    fat->told = fat->free;
    return cache_write(fat->device, fat->info + INFO_FREE, numbers, sizeof(numbers), CACHE_LATE);
}

static int write_entries(struct fat *fat)
{
    int error = 0;

    list_for_each (link, &fat->dirty) {
        error = write_entry(list_entry(link, struct fat_node, dirty_link));
        if (error)
            return error;
    }
    error = fat->pending ? 0 : write_info(fat); /* with pending clusters the number changes again soon */
    return error ? error : cache_write_out(fat->device, CACHE_LATE);
}

/* Nodes are as the disk has them. */
static void clean_nodes(struct fat *fat)
{
    list_for_each (link, &fat->dirty) {
        struct fat_node *node = list_entry(link, struct fat_node, dirty_link);
        node->fresh = false;
        fat_forget_dirty(node);
    }
}

/* No entry leads to the clusters that were given up any more. */
static int free_clusters(struct fat *fat)
{
    if (!fat->pending)
        return 0;
    int error = fat_free_pending(fat);
    if (error == 0)
        error = cache_write_out(fat->device, CACHE_EARLY);
    if (error)
        return error;
    fat_release_freed(fat);
    error = write_info(fat);
    return error ? error : cache_write_out(fat->device, CACHE_LATE);
}

int fat_commit(struct fat *fat)
{
    int error = cache_write_out(fat->device, CACHE_EARLY);

    if (error == 0)
        error = join_chains(fat);
    if (error == 0)
        error = write_entries(fat);
    if (error)
        return error;
    clean_nodes(fat);
    return free_clusters(fat);
}

int fat_relieve(struct fat *fat)
{
    return cache_late_full() ? fat_commit(fat) : 0;
}

int fat_sync(struct fat *fat)
{
    fat_lock(fat);
    int error = fat_commit(fat);
    fat_unlock(fat);
    return error;
}

int fat_sync_node(struct vnode *vnode)
{
    struct fat_node *node = fat_node_of(vnode);
    int error = fat_sync(node->fat);

    if (node->errors_told != node->fat->device->write_errors)
        error = -EIO; /* also if what failed has been written since: told once, lest it be lost */
    node->errors_told = node->fat->device->write_errors;
    return error;
}
