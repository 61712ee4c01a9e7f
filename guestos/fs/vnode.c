/* Nodes and mounts. */
#include "clock.h"
#include "errno.h"
#include "heap.h"
#include "string.h"
#include "vfs.h"

struct mutex tree_lock = {.queue = WAIT_QUEUE_INIT(tree_lock.queue)};
struct mount *mounts;
struct wait_queue poll_queue = WAIT_QUEUE_INIT(poll_queue);

struct vnode *vnode_create(const struct vnode_ops *ops, uint32_t mode, struct mount *mount)
{
    static uint64_t next_ino;
    struct vnode *node = kmalloc(sizeof(*node));

    if (!node)
        return NULL;
    node->refs = 1;
    node->nlink = 1;
    node->mode = mode;
    node->ino = __atomic_add_fetch(&next_ino, 1, __ATOMIC_RELAXED);
    node->ops = ops;
    node->mount = mount;
    node->atime = node->mtime = node->ctime = clock_wall_ns();
    mutex_init(&node->lock);
    return node;
}

struct vnode *vnode_get(struct vnode *node)
{
    __atomic_add_fetch(&node->refs, 1, __ATOMIC_RELAXED);
    return node;
}

void vnode_put(struct vnode *node)
{
    if (__atomic_sub_fetch(&node->refs, 1, __ATOMIC_ACQ_REL))
        return;
    if (node->ops->release)
        node->ops->release(node);
    kfree(node);
}

ssize_t vnode_read(struct vnode *node, void *to, size_t n, uint64_t offset)
{
    if (S_ISDIR(node->mode))
        return -EISDIR;
    if (!node->ops->read)
        return -EINVAL;
    if (!S_ISREG(node->mode))
        return node->ops->read(node, to, n, offset);
    mutex_lock(&node->lock);
    ssize_t result = node->ops->read(node, to, n, offset);
    mutex_unlock(&node->lock);
    return result;
}

int mount_add(struct mount *mount, struct vnode *directory, const char *path)
{
    static uint64_t devices;
    struct mount **link = &mounts;

    mutex_lock(&tree_lock);
    if (directory && directory->mounted_here) {
        mutex_unlock(&tree_lock);
        return -EBUSY;
    }
    if (directory) {
        directory->mounted_here = mount;
        mount->covered = vnode_get(directory);
    }
    strcopy(mount->path, path, sizeof(mount->path));
    mount->device = ++devices;
    while (*link)
        link = &(*link)->next;
    *link = mount;
    mutex_unlock(&tree_lock);
    return 0;
}

int mount_remove(struct mount *mount)
{
    struct mount **link = &mounts;

    mutex_lock(&tree_lock);
    while (*link && *link != mount)
        link = &(*link)->next;
    int error = !*link ? -EINVAL : !mount->unmount ? -EBUSY : 0;
    struct mount *next = error ? NULL : mount->next;
    struct vnode *covered = error ? NULL : mount->covered;
    if (error == 0)
        error = mount->unmount(mount); /* then the structure is gone */
    if (error == 0) {
        *link = next;
        covered->mounted_here = NULL;
    }
    mutex_unlock(&tree_lock);
    if (error == 0)
        vnode_put(covered);
    return error;
}

struct vnode *root_directory(void)
{
    return mounts->root;
}

void poll_changed(void)
{
    wake_all(&poll_queue);
}
