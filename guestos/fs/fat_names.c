/* FAT: the operations on names: lookup, create, unlink, rename, readdir. */
#include "clock.h"
#include "errno.h"
#include "fat.h"
#include "heap.h"
#include "string.h"

/* What most operations need, too large for a kernel stack. */
struct work {
    struct fat_new_entry new;
    struct fat_entry entry;
    uint16_t name[FAT_NAME_MAX + 1];
};

/* Find a name's entry. With the lock held. */
static int find(struct vnode *dir, const char *name, struct work *work)
{
    int length = fat_name_parse(name, work->name);

    if (length < 0)
        return length == -EINVAL ? -ENOENT : length; /* what no name can be is not there */
    return fat_dir_find(fat_node_of(dir), work->name, length, &work->entry);
}

int fat_lookup(struct vnode *dir, const char *name, struct vnode **out)
{
    struct work *work = kmalloc(sizeof(*work));

    if (!work)
        return -ENOMEM;
    fat_lock(fat_of(dir));
    int error = find(dir, name, work);
    if (error == 0)
        error = fat_node_get(dir, &work->entry, out);
    fat_unlock(fat_of(dir));
    kfree(work);
    return error;
}

static void touch(struct vnode *dir)
{
    dir->mtime = dir->ctime = clock_wall_ns();
    fat_mark_dirty(fat_node_of(dir));
}

static void stamp(struct fat_short *raw, int64_t now)
{
    fat_time_from_ns(now, &raw->create_date, &raw->create_time);
    raw->create_hundredths = now / 10000000 % 200;
    raw->write_date = raw->access_date = raw->create_date;
    raw->write_time = raw->create_time;
}

static uint32_t start_for_dots(struct vnode *dir)
{
    return dir == fat_of(dir)->mount.root ? 0 : fat_node_of(dir)->start;
}

/* Write the prepared name. */
static int add_entry(struct vnode *dir, struct work *work, uint8_t attributes, uint32_t start)
{
    struct fat_short *raw = &work->new.slots[work->new.count - 1];

    raw->attributes = attributes;
    raw->start_high = start >> 16;
    raw->start_low = start;
    stamp(raw, clock_wall_ns());
    return fat_entry_add(fat_node_of(dir), &work->new, &work->entry);
}

static int add_directory(struct vnode *dir, struct work *work)
{
    struct fat *fat = fat_of(dir);
    uint32_t cluster;
    int error = fat_allocate(fat, 0, &cluster);

    if (error)
        return error;
    error = fat_entry_make_directory(fat, cluster, start_for_dots(dir), clock_wall_ns());
    if (error == 0)
        error = add_entry(dir, work, FAT_DIRECTORY, cluster);
    if (error)
        fat_free_later(fat, 0, cluster);
    return error;
}

static int add_node(struct vnode *dir, struct work *work, const char *name, bool directory,
                    struct vnode **out)
{
    struct fat *fat = fat_of(dir);

    if (fat->mount.read_only)
        return -EROFS;
    if (fat_node_of(dir)->removed)
        return -ENOENT;
    int error = find(dir, name, work);
    if (error != -ENOENT)
        return error ? error : -EEXIST;
    error = fat_entry_prepare(fat_node_of(dir), name, &work->new);
    if (error == 0)
        error = directory ? add_directory(dir, work) : add_entry(dir, work, FAT_ARCHIVE, 0);
    if (error)
        return error;
    touch(dir);
    error = fat_node_get(dir, &work->entry, out);
    return error ? error : fat_relieve(fat);
}

int fat_create(struct vnode *dir, const char *name, uint32_t mode, const char *target, struct vnode **out)
{
    struct fat *fat = fat_of(dir);

    (void)target;
    if (!S_ISREG(mode) && !S_ISDIR(mode))
        return -EPERM;
    struct work *work = kmalloc(sizeof(*work));
    if (!work)
        return -ENOMEM;
    fat_lock(fat);
    int error = add_node(dir, work, name, S_ISDIR(mode), out);
    fat_unlock(fat);
    kfree(work);
    return error;
}

/* The node's last name is gone. Its clusters go when nobody uses it any more. */
static void forget(struct vnode *vnode)
{
    struct fat_node *node = fat_node_of(vnode);

    fat_node_move(node, 0, 0, 0);
    node->removed = true;
    fat_forget_dirty(node);
    vnode->nlink = 0;
    fat_forget_recent(node->fat, vnode);
    if (vnode->parent) /* who still stands in it has no way up */
        fat_put_later(fat_node_of(vnode->parent));
    vnode->parent = NULL;
}

static int check_empty(struct vnode *node)
{
    int empty = S_ISDIR(node->mode) ? fat_dir_empty(fat_node_of(node)) : 1;

    return empty < 0 ? empty : empty ? 0 : -ENOTEMPTY;
}

int fat_unlink(struct vnode *dir, const char *name, struct vnode *node)
{
    struct fat *fat = fat_of(dir);

    (void)name;
    fat_lock(fat);
    int error = fat->mount.read_only ? -EROFS : check_empty(node);
    if (error == 0)
        error = fat_entry_remove(fat_node_of(dir), fat_node_of(node));
    if (error == 0) {
        forget(node);
        touch(dir);
        error = fat_relieve(fat);
    }
    fat_unlock(fat);
    return error;
}

/*
 * Give the node the new name: over the old one in one sector if that can be, else beside it. Returns 1, 0 or
 * -errno. Beside it there is no good order: the disk never changes two sectors at once, so that a crash finds
 * the file with two names or with none. A lost file is worse, so the old name goes when the new one is there.
 * To a check of the disk, two names are two files that share their clusters; so this must not last.
 */
static int give_name(struct vnode *from, struct vnode *to, struct fat_node *node, struct work *work)
{
    struct fat_node *new_dir = fat_node_of(to);
    struct fat_short *raw = &work->new.slots[work->new.count - 1];
    struct fat_short old;
    int error = cache_read(node->fat->device, node->entry, &old, sizeof(old));

    if (error)
        return error;
    memcpy(old.name, raw->name, sizeof(old.name));
    old.case_bits = raw->case_bits;
    *raw = old;
    fat_fill_entry(node, raw);
    int replaced = from == to ? fat_entry_replace(new_dir, node, &work->new) : 0;
    return replaced ? replaced : fat_entry_add(new_dir, &work->new, &work->entry);
}

/* The name that was given beside the old one is there: now that one goes. */
static int remove_old_name(struct vnode *from, struct fat_node *node, const struct work *work)
{
    int error = fat_entry_remove(fat_node_of(from), node);

    if (error == 0)
        fat_node_move(node, work->entry.position, work->entry.slot, work->entry.slots);
    return error;
}

/* A directory has come to another one: ".." and `parent` must follow. */
static int move_directory(struct vnode *node, struct vnode *to)
{
    struct fat *fat = fat_of(node);
    struct fat_short dots;
    uint64_t place = fat_cluster_position(fat, fat_node_of(node)->start) + FAT_SLOT;
    uint32_t start = start_for_dots(to);
    struct vnode *old = node->parent;

    node->parent = vnode_get(to);
    if (old)
        fat_put_later(fat_node_of(old));
    int error = cache_read(fat->device, place, &dots, sizeof(dots));
    dots.start_high = start >> 16;
    dots.start_low = start;
    return error ? error : cache_write(fat->device, place, &dots, sizeof(dots), CACHE_LATE);
}

/* The new name belonged to another node, whose entry goes. */
static int remove_target(struct vnode *to, struct vnode *target)
{
    int error = fat_entry_remove(fat_node_of(to), fat_node_of(target));

    if (error == 0)
        forget(target);
    return error;
}

/* With a commit before anything goes: a crash must not leave neither the old file nor the new one. */
static int rename_node(struct vnode *from, struct vnode *node, struct vnode *to, struct vnode *target,
                       struct work *work)
{
    struct fat *fat = fat_of(node);
    bool over = target && target != node;
    int error = over ? check_empty(target) : 0;
    int at_once = error ? error : give_name(from, to, fat_node_of(node), work);

    error = MIN(at_once, 0);
    if (error == 0 && (over || !at_once))
        error = fat_commit(fat);
    if (error == 0 && over)
        error = remove_target(to, target);
    if (error == 0 && over && !at_once)
        error = fat_commit(fat); /* until here the new name may still lead to the target */
    if (error == 0 && !at_once)
        error = remove_old_name(from, fat_node_of(node), work);
    if (error == 0 && S_ISDIR(node->mode) && from != to)
        error = move_directory(node, to);
    if (error)
        return error;
    touch(from);
    touch(to);
    return at_once ? fat_relieve(fat) : fat_commit(fat);
}

static int find_node(struct vnode *dir, const char *name, struct work *work, struct vnode **out)
{
    int error = find(dir, name, work);

    return error ? error : fat_node_get(dir, &work->entry, out);
}

int fat_rename(struct vnode *from, const char *old_name, struct vnode *to, const char *new_name)
{
    struct fat *fat = fat_of(from);
    struct work *work = kmalloc(sizeof(*work));
    struct vnode *node = NULL, *target = NULL;

    if (!work)
        return -ENOMEM;
    fat_lock(fat);
    int error = fat->mount.read_only ? -EROFS : fat_node_of(to)->removed ? -ENOENT : 0;
    if (error == 0)
        error = find_node(from, old_name, work, &node);
    if (error == 0) {
        error = find_node(to, new_name, work, &target);
        error = error == -ENOENT ? 0 : error;
    }
    if (error == 0)
        error = fat_entry_prepare(fat_node_of(to), new_name, &work->new);
    if (error == 0)
        error = rename_node(from, node, to, target, work);
    if (node)
        fat_put_later(fat_node_of(node));
    if (target)
        fat_put_later(fat_node_of(target));
    fat_unlock(fat);
    kfree(work);
    return error;
}

/* The name to show: the long one, unless there is none, or no program could be given it. */
static void name_of(const struct fat_entry *entry, char *name)
{
    uint16_t alias[12];

    if (!entry->length || fat_name_format(entry->name, entry->length, name) <= 0)
        fat_name_format(alias, fat_name_of_short(&entry->raw, alias), name);
}

struct listing {
    struct fat_cursor cursor;
    struct fat_entry entry;
    char name[NAME_MAX + 1];
};

int fat_readdir(struct vnode *dir, uint64_t from, dir_emit *emit, void *arg)
{
    struct listing *listing = kmalloc(sizeof(*listing));
    int found;

    if (!listing)
        return -ENOMEM;
    struct fat_entry *entry = &listing->entry;
    listing->cursor = (struct fat_cursor){
        .dir = fat_node_of(dir), .slot = MIN(from, FAT_SLOTS_MAX), .loaded = FAT_SLOTS_MAX};
    fat_lock(fat_of(dir));
    while ((found = fat_dir_next(&listing->cursor, entry)) == 1) {
        uint32_t mode = entry->raw.attributes & FAT_DIRECTORY ? S_IFDIR : S_IFREG;
        name_of(entry, listing->name);
        if (!emit(arg, listing->name, entry->position / FAT_SLOT, mode, listing->cursor.slot))
            break;
    }
    fat_unlock(fat_of(dir));
    kfree(listing);
    return MIN(found, 0);
}
