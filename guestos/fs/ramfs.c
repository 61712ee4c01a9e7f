/* The file system in memory: the root, filled from the initrd, writable. */
#include "clock.h"
#include "errno.h"
#include "frames.h"
#include "heap.h"
#include "ramfs.h"
#include "string.h"
#include "user.h"

/* An entry of a directory. `cookie` orders entries for readdir and never changes. */
struct entry {
    struct entry *next;
    uint64_t cookie;
    struct vnode *node;
    char name[];
};

struct directory {
    struct entry *entries; /* by cookie */
    uint64_t last_cookie;
};

/* A file's pages: physical addresses, 0 for a page that was never written. */
struct contents {
    uint64_t *pages;
    size_t room;
};

#define FILE_SIZE_MAX (1ul << 32)

static struct mount ram_mount;
static const struct vnode_ops ramfs_ops;

static struct directory *directory_of(struct vnode *node)
{
    return node->data;
}

static void changed(struct vnode *node)
{
    node->mtime = node->ctime = clock_wall_ns();
}

static struct entry **find_entry(struct vnode *dir, const char *name)
{
    struct entry **link = &directory_of(dir)->entries;

    while (*link && strcmp((*link)->name, name) != 0)
        link = &(*link)->next;
    return link;
}

static int ramfs_lookup(struct vnode *dir, const char *name, struct vnode **out)
{
    struct entry *entry = *find_entry(dir, name);

    if (!entry)
        return -ENOENT;
    *out = vnode_get(entry->node);
    return 0;
}

/*
 * Add a name; the entry takes a reference to the node. A directory that was removed while somebody stands in
 * it gets none: it can go at any time, and no directory's parent may.
 */
static int add_entry(struct vnode *dir, const char *name, struct vnode *node)
{
    if (dir->nlink == 0)
        return -ENOENT;
    struct entry **end = &directory_of(dir)->entries;
    struct entry *entry = kmalloc(sizeof(*entry) + strlen(name) + 1);

    if (!entry)
        return -ENOMEM;
    while (*end)
        end = &(*end)->next;
    entry->cookie = ++directory_of(dir)->last_cookie;
    entry->node = vnode_get(node);
    strcopy(entry->name, name, strlen(name) + 1);
    *end = entry;
    if (S_ISDIR(node->mode)) {
        node->parent = dir;
        dir->nlink++;
    }
    changed(dir);
    return 0;
}

static void remove_entry(struct vnode *dir, struct entry **link)
{
    struct entry *entry = *link;

    *link = entry->next;
    if (S_ISDIR(entry->node->mode))
        dir->nlink--;
    changed(dir);
    vnode_put(entry->node);
    kfree(entry);
}

static struct vnode *new_node(uint32_t mode, const char *target)
{
    struct vnode *node = vnode_create(&ramfs_ops, mode, &ram_mount);

    if (!node)
        return NULL;
    if (S_ISDIR(mode)) {
        node->data = kmalloc(sizeof(struct directory));
        node->nlink = 2;
    } else if (S_ISLNK(mode)) {
        node->data = kstrdup(target);
        node->size = strlen(target);
    } else {
        node->data = kmalloc(sizeof(struct contents));
    }
    if (!node->data) {
        kfree(node);
        return NULL;
    }
    return node;
}

static int ramfs_create(struct vnode *dir, const char *name, uint32_t mode, const char *target,
                        struct vnode **out)
{
    if (*find_entry(dir, name))
        return -EEXIST;
    struct vnode *node = new_node(mode, target);
    if (!node)
        return -ENOMEM;
    int error = add_entry(dir, name, node);
    if (error)
        vnode_put(node);
    else
        *out = node;
    return error;
}

static int ramfs_link(struct vnode *dir, const char *name, struct vnode *node)
{
    if (*find_entry(dir, name))
        return -EEXIST;
    int error = add_entry(dir, name, node);
    if (error == 0) {
        node->nlink++;
        node->ctime = clock_wall_ns();
    }
    return error;
}

/* One name of the node is gone. */
static void drop_link(struct vnode *node)
{
    node->nlink -= S_ISDIR(node->mode) ? 2 : 1;
    if (S_ISDIR(node->mode))
        node->parent = NULL; /* who still stands in it has no way up */
    node->ctime = clock_wall_ns();
}

static int ramfs_unlink(struct vnode *dir, const char *name, struct vnode *node)
{
    struct entry **link = find_entry(dir, name);

    if (!*link)
        return -ENOENT;
    if (S_ISDIR(node->mode) && directory_of(node)->entries)
        return -ENOTEMPTY;
    drop_link(node);
    remove_entry(dir, link);
    return 0;
}

static int ramfs_rename(struct vnode *from, const char *old_name, struct vnode *to, const char *new_name)
{
    struct vnode *node = (*find_entry(from, old_name))->node;
    struct entry **target = find_entry(to, new_name);

    vnode_get(node);
    int error =
        add_entry(to, new_name, node); /* at the end of the list: find_entry still finds the old one */
    if (error == 0) {
        if (*target && (*target)->node != node) {
            drop_link((*target)->node);
            remove_entry(to, target);
        }
        remove_entry(from, find_entry(from, old_name));
    }
    vnode_put(node);
    return error;
}

static int ramfs_readdir(struct vnode *dir, uint64_t from, dir_emit *emit, void *arg)
{
    for (struct entry *e = directory_of(dir)->entries; e; e = e->next)
        if (e->cookie > from && !emit(arg, e->name, e->node->ino, e->node->mode, e->cookie))
            break;
    return 0;
}

static ssize_t ramfs_readlink(struct vnode *node, char *to, size_t size)
{
    size_t n = MIN(node->size, size);

    memcpy(to, node->data, n);
    return n;
}

static uint64_t *page_slot(struct contents *contents, uint64_t offset)
{
    size_t index = offset / PAGE_SIZE;

    return index < contents->room ? &contents->pages[index] : NULL;
}

static ssize_t ramfs_read(struct vnode *node, void *to, size_t n, uint64_t offset)
{
    if (offset >= node->size)
        return 0;
    n = MIN(n, node->size - offset);
    for (size_t done = 0, part; done < n; done += part) {
        uint64_t at = offset + done;
        uint64_t *slot = page_slot(node->data, at);
        part = MIN(n - done, PAGE_SIZE - at % PAGE_SIZE);
        if (slot && *slot)
            memcpy((char *)to + done, (char *)phys_to_virt(*slot) + at % PAGE_SIZE, part);
        else
            memset((char *)to + done, 0, part);
    }
    return n;
}

/* Have room in the table for the page at `offset`. */
static int grow_table(struct contents *contents, uint64_t offset)
{
    size_t room = MAX(contents->room, 4);

    if (page_slot(contents, offset))
        return 0;
    while (room <= offset / PAGE_SIZE)
        room *= 2;
    uint64_t *pages = kmalloc(room * sizeof(*pages));
    if (!pages)
        return -ENOSPC;
    memcpy(pages, contents->pages, contents->room * sizeof(*pages));
    kfree(contents->pages);
    contents->pages = pages;
    contents->room = room;
    return 0;
}

/* The page at `offset`, made if need be; 0 if memory is used up. A file must not take what the kernel needs
 * to live. */
static uint64_t have_page(struct contents *contents, uint64_t offset)
{
    if (grow_table(contents, offset) != 0)
        return 0;
    uint64_t *slot = page_slot(contents, offset);
    if (!*slot) {
        *slot = frame_alloc_user();
        if (*slot)
            memset(phys_to_virt(*slot), 0, PAGE_SIZE);
    }
    return *slot;
}

static ssize_t ramfs_write(struct vnode *node, const void *from, size_t n, uint64_t offset)
{
    size_t done = 0, part;

    if (offset > FILE_SIZE_MAX || n > FILE_SIZE_MAX - offset)
        return -EFBIG;
    for (; done < n; done += part) {
        uint64_t at = offset + done;
        uint64_t page = have_page(node->data, at);
        if (!page)
            break;
        part = MIN(n - done, PAGE_SIZE - at % PAGE_SIZE);
        memcpy((char *)phys_to_virt(page) + at % PAGE_SIZE, (const char *)from + done, part);
    }
    if (done == 0 && n > 0)
        return -ENOSPC;
    node->size = MAX(node->size, offset + done);
    changed(node);
    return done;
}

static void free_pages_from(struct contents *contents, uint64_t size)
{
    for (size_t i = ROUND_UP(size, PAGE_SIZE) / PAGE_SIZE; i < contents->room; i++) {
        if (contents->pages[i])
            frame_put(contents->pages[i]);
        contents->pages[i] = 0;
    }
}

static int ramfs_truncate(struct vnode *node, uint64_t size)
{
    uint64_t *slot = page_slot(node->data, size);

    if (size > FILE_SIZE_MAX)
        return -EFBIG;
    free_pages_from(node->data, size);
    if (slot && *slot && size % PAGE_SIZE) /* if the file grows again, zeros must be there */
        memset((char *)phys_to_virt(*slot) + size % PAGE_SIZE, 0, PAGE_SIZE - size % PAGE_SIZE);
    node->size = size;
    changed(node);
    return 0;
}

static int ramfs_set_attributes(struct vnode *node)
{
    (void)node; /* the node itself is where they are kept */
    return 0;
}

static void ramfs_release(struct vnode *node)
{
    if (S_ISREG(node->mode)) {
        struct contents *contents = node->data;
        free_pages_from(contents, 0);
        kfree(contents->pages);
    }
    kfree(node->data);
}

static const struct vnode_ops ramfs_ops = {
    .lookup = ramfs_lookup,
    .create = ramfs_create,
    .link = ramfs_link,
    .unlink = ramfs_unlink,
    .rename = ramfs_rename,
    .readdir = ramfs_readdir,
    .readlink = ramfs_readlink,
    .read = ramfs_read,
    .write = ramfs_write,
    .truncate = ramfs_truncate,
    .set_attributes = ramfs_set_attributes,
    .release = ramfs_release,
};

static void ramfs_info(struct mount *mount, struct filesystem_info *out)
{
    (void)mount;
    *out = (struct filesystem_info){0x858458f6, PAGE_SIZE, frames_total(), frames_free()};
}

struct vnode *ramfs_mount_root(void)
{
    ram_mount = (struct mount){.source = "none", .type = "ramfs", .info = ramfs_info};
    ram_mount.root = new_node(S_IFDIR | 0755, NULL);
    if (!ram_mount.root || mount_add(&ram_mount, NULL, "/") != 0)
        return NULL;
    return ram_mount.root;
}
