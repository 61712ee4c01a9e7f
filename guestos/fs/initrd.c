/* The root file system: what the loader brought as an initrd is unpacked into memory. */
#include "boot.h"
#include "clock.h"
#include "cpio.h"
#include "errno.h"
#include "frames.h"
#include "init.h"
#include "printk.h"
#include "ramfs.h"
#include "string.h"

/* Make the node of one entry. A directory that is there already (".", above all) is kept. */
static int make_node(struct vnode *root, const struct cpio_entry *entry, struct vnode **out)
{
    char name[NAME_MAX + 1], target[PATH_MAX / 4];
    struct vnode *dir;

    if (S_ISDIR(entry->mode) && path_lookup(root, entry->name, true, out) == 0)
        return 0;
    strcopy(target, entry->data, MIN(entry->size + 1, sizeof(target)));
    mutex_lock(&tree_lock);
    int error = path_parent(root, entry->name, &dir, name);
    if (error == 0) {
        error = dir->ops->create(dir, name, entry->mode, target, out);
        vnode_put(dir);
    }
    mutex_unlock(&tree_lock);
    return error;
}

static int unpack_entry(struct vnode *root, const struct cpio_entry *entry)
{
    uint32_t type = entry->mode & S_IFMT;
    struct vnode *node;

    if (type != S_IFREG && type != S_IFDIR && type != S_IFLNK)
        return -EINVAL;
    int error = make_node(root, entry, &node);
    if (error)
        return error;
    if (type == S_IFREG && node->ops->write(node, entry->data, entry->size, 0) != (ssize_t)entry->size)
        error = -ENOSPC;
    node->mtime = node->atime = entry->mtime * NS_PER_SECOND;
    vnode_put(node);
    return error;
}

static void unpack(struct vnode *root, const void *archive, size_t size)
{
    struct cpio_entry entry;
    size_t offset = 0;
    int more;

    while ((more = cpio_next(archive, size, &offset, &entry)) > 0) {
        int error = unpack_entry(root, &entry);
        if (error == -ENOSPC || error == -ENOMEM)
            panic("memory is full at %s of the initrd; give the machine more", entry.name);
        if (error)
            warn("initrd: %s was left out (error %d)\r\n", entry.name, -error);
    }
    if (more < 0)
        warn("initrd: damaged at byte %lu; the files before that are there\r\n", offset);
}

static void initrd_init(void)
{
    struct vnode *root = ramfs_mount_root();

    if (!root)
        panic("no memory for the root directory");
    if (boot.initrd.start == boot.initrd.end) {
        warn("no initrd: the file system is empty (give one with --initrd)\r\n");
        return;
    }
    unpack(root, phys_to_virt(boot.initrd.start), boot.initrd.end - boot.initrd.start);
    frames_add(boot.initrd.start, boot.initrd.end); /* unpacked: the memory is free now */
}

INIT(INIT_FS, initrd_init);
