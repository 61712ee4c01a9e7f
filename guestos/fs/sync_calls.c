/* System calls about files on disks: making them durable, giving them room in advance. */
#include "errno.h"
#include "process.h"
#include "syscall.h"
#include "vfs.h"

static ssize_t sync_node(struct vnode *node)
{
    if (node->ops->stream_read)
        return -EINVAL;
    return node->ops->sync ? node->ops->sync(node) : 0;
}

/* What fsync does besides, writing the times, costs nothing here. */
static ssize_t sys_fdatasync(int fd)
{
    struct file *file = fd_file(fd);

    if (!file)
        return -EBADF;
    ssize_t result = sync_node(file->vnode);
    file_put(file);
    return result;
}

/* The file system that the file is on. */
static ssize_t sys_syncfs(int fd)
{
    struct file *file = fd_file(fd);

    if (!file)
        return -EBADF;
    ssize_t result = file->vnode->mount ? sync_node(file->vnode->mount->root) : 0;
    file_put(file);
    return result;
}

static ssize_t allocate(struct vnode *node, uint64_t end)
{
    if (!S_ISREG(node->mode))
        return -ENODEV;
    if (!node->ops->truncate)
        return -EOPNOTSUPP;
    mutex_lock(&node->lock);
    int error = end > node->size ? node->ops->truncate(node, end) : 0;
    mutex_unlock(&node->lock);
    return error;
}

/* Only the plain form, which makes the file longer. */
static ssize_t sys_fallocate(int fd, uint32_t mode, int64_t offset, int64_t length)
{
    struct file *file = fd_file(fd);
    int64_t end;

    if (!file)
        return -EBADF;
    bool writable = (file->flags & O_ACCMODE) != O_RDONLY && !(file->flags & O_PATH);
    ssize_t result;
    if (!writable)
        result = -EBADF;
    else if (offset < 0 || length <= 0)
        result = -EINVAL;
    else if (mode)
        result = -EOPNOTSUPP;
    else
        result = __builtin_add_overflow(offset, length, &end) ? -EFBIG : allocate(file->vnode, end);
    file_put(file);
    return result;
}

SYSCALL(75, sys_fdatasync);
SYSCALL(285, sys_fallocate);
SYSCALL(306, sys_syncfs);
