/* FAT: the clusters of one file, as runs of neighbours, so that finding one takes no walk from the beginning.
 */
#include "errno.h"
#include "fat.h"
#include "heap.h"
#include "string.h"

#define RUNS_FIRST 4

static bool add_run(struct fat_node *node, uint32_t cluster)
{
    if (node->run_count == node->run_room) {
        uint32_t room = node->run_room ? node->run_room * 2 : RUNS_FIRST;
        struct fat_run *runs = kmalloc(room * sizeof(*runs));
        if (!runs)
            return false;
        if (node->runs)
            memcpy(runs, node->runs, node->run_count * sizeof(*runs));
        kfree(node->runs);
        node->runs = runs;
        node->run_room = room;
    }
    node->runs[node->run_count++] = (struct fat_run){node->known, cluster, 0};
    return true;
}

/* Note that `cluster` is the next one. */
static int note_cluster(struct fat_node *node, uint32_t cluster)
{
    struct fat_run *last = node->run_count ? &node->runs[node->run_count - 1] : NULL;

    if (!last || last->cluster + last->count != cluster) {
        if (!add_run(node, cluster))
            return -ENOMEM;
        last = &node->runs[node->run_count - 1];
    }
    last->count++;
    node->known++;
    return 0;
}

static uint32_t last_known(const struct fat_node *node)
{
    const struct fat_run *last = &node->runs[node->run_count - 1];

    return last->cluster + last->count - 1;
}

/* What follows the clusters that are known: a number, or FAT_END. */
static int find_next(struct fat_node *node, uint32_t *next)
{
    struct fat *fat = node->fat;
    int error = 0;

    if (node->known == 0)
        *next = node->start ? node->start : FAT_END;
    else if (node->link_from && last_known(node) == node->link_from)
        *next = node->link_to;
    else
        error = fat_get(fat, last_known(node), next);
    if (error || *next == FAT_END)
        return error;
    if (!fat_valid(fat, *next))
        return fat_damaged(fat, "a chain leads to cluster", *next);
    if (node->known >= fat->clusters)
        return fat_damaged(fat, "a chain goes in a circle through cluster", *next);
    return 0;
}

/* Know at least `count` clusters. Returns 1, 0 if there are fewer, or -errno. */
static int know(struct fat_node *node, uint32_t count)
{
    while (node->known < count) {
        uint32_t next;
        int error = find_next(node, &next);
        if (error == 0 && next == FAT_END)
            return 0;
        if (error == 0)
            error = note_cluster(node, next);
        if (error)
            return error;
    }
    return 1;
}

static const struct fat_run *run_of(const struct fat_node *node, uint32_t index)
{
    uint32_t low = 0, high = node->run_count;

    while (high - low > 1) {
        uint32_t middle = (low + high) / 2;
        if (node->runs[middle].index <= index)
            low = middle;
        else
            high = middle;
    }
    return &node->runs[low];
}

int fat_chain_find(struct fat_node *node, uint32_t index, uint32_t *cluster, uint32_t *count)
{
    int found = know(node, index + 1);

    if (found != 1)
        return found;
    const struct fat_run *run = run_of(node, index);
    *cluster = run->cluster + (index - run->index);
    *count = run->count - (index - run->index);
    return 1;
}

/* Hang a new cluster on the end of the chain: in the table, if the disk does not know that end yet. */
static int append(struct fat_node *node, uint32_t cluster)
{
    uint32_t last = node->known ? last_known(node) : 0;
    int error = 0;

    if (!last) {
        node->start = cluster;
        node->fresh = true;
        fat_mark_dirty(node);
    } else if (node->fresh || node->link_from) {
        error = fat_set(node->fat, last, cluster);
    } else {
        node->link_from = last;
        node->link_to = cluster;
        node->link_index = node->known - 1;
        fat_mark_dirty(node);
    }
    return error ? error : note_cluster(node, cluster);
}

int fat_chain_extend(struct fat_node *node, uint32_t count)
{
    int error = know(node, count);

    if (error != 0)
        return error < 0 ? error : 0;
    while (node->known < count) {
        uint32_t cluster, near = node->known ? last_known(node) + 1 : 0;
        error = fat_allocate(node->fat, near, &cluster);
        if (error == 0)
            error = append(node, cluster);
        if (error)
            return error;
    }
    return 0;
}

/* Forget the runs from the count-th cluster on. */
static void forget_runs(struct fat_node *node, uint32_t count)
{
    while (node->run_count && node->runs[node->run_count - 1].index >= count)
        node->run_count--;
    if (node->run_count)
        node->runs[node->run_count - 1].count = count - node->runs[node->run_count - 1].index;
    node->known = count;
}

static void give_up_all(struct fat_node *node)
{
    if (node->link_from)
        fat_free_later(node->fat, 0, node->link_to);
    fat_free_later(node->fat, 0, node->start);
    node->start = 0;
    node->link_from = 0;
    forget_runs(node, 0);
    fat_mark_dirty(node);
}

int fat_chain_trim(struct fat_node *node, uint32_t count)
{
    struct fat *fat = node->fat;
    uint32_t last, first, unused;
    int found = know(node, count + 1);

    if (found != 1)
        return found;
    if (count == 0) {
        give_up_all(node);
        return 0;
    }
    fat_chain_find(node, count - 1, &last, &unused);
    fat_chain_find(node, count, &first, &unused);
    forget_runs(node, count);
    if (node->link_from && node->link_index == count - 1) { /* just that link is taken back */
        node->link_from = 0;
        fat_free_later(fat, 0, first);
        return 0;
    }
    if (node->fresh || (node->link_from && node->link_index < count - 1)) { /* the disk knows neither */
        fat_free_later(fat, 0, first);
        return fat_set(fat, last, FAT_END);
    }
    /* The disk must know the new size before the chain is cut, and the cut before anything new is added. */
    fat_free_later(fat, last, first);
    fat_mark_dirty(node);
    int error = fat_commit(fat);
    return error == -EIO ? fat_damaged(fat, "a file could not be cut at cluster", last) : error;
}

int fat_map(struct fat_node *node, uint64_t offset, uint64_t *position, uint64_t *bytes)
{
    struct fat *fat = node->fat;
    uint32_t cluster, count, within = offset % fat->cluster_size;
    int found = fat_chain_find(node, offset / fat->cluster_size, &cluster, &count);

    if (found != 1)
        return found;
    *position = fat_cluster_position(fat, cluster) + within;
    *bytes = (uint64_t)count * fat->cluster_size - within;
    return 1;
}
