/* System calls on open files and their descriptors, other than reading and writing. */
#include "errno.h"
#include "process.h"
#include "syscall.h"
#include "user.h"
#include "user_path.h"
#include "vfs.h"

static ssize_t sys_close(int fd)
{
    return fd_close(fd);
}

static ssize_t seek(struct file *file, int64_t offset, int whence)
{
    int64_t base;

    if (file->vnode->ops->stream_read || file->vnode->ops->stream_write)
        return -ESPIPE;
    if (whence == SEEK_SET)
        base = 0;
    else if (whence == SEEK_CUR)
        base = file->position;
    else if (whence == SEEK_END)
        base = file->vnode->size;
    else
        return -EINVAL;
    if (__builtin_add_overflow(base, offset, &base))
        return -EOVERFLOW;
    if (base < 0)
        return -EINVAL;
    file->position = base;
    return base;
}

static ssize_t sys_lseek(int fd, int64_t offset, int whence)
{
    struct file *file = fd_file(fd);

    if (!file)
        return -EBADF;
    mutex_lock(&file->lock);
    ssize_t result = seek(file, offset, whence);
    mutex_unlock(&file->lock);
    file_put(file);
    return result;
}

static ssize_t dup_to(int fd, int lowest, bool close_on_exec)
{
    struct file *file = fd_file(fd);

    return file ? fd_install(file, lowest, close_on_exec) : -EBADF;
}

static ssize_t sys_dup(int fd)
{
    return dup_to(fd, 0, false);
}

static ssize_t replace_fd(int old, int new, bool close_on_exec)
{
    struct file *file = fd_file(old);

    if (!file)
        return -EBADF;
    if (new < 0 || new >= FILES_MAX) {
        file_put(file);
        return -EBADF;
    }
    fd_close(new);
    current_process()->files->file[new] = file;
    current_process()->files->close_on_exec[new] = close_on_exec;
    return new;
}

static ssize_t sys_dup3(int old, int new, uint32_t flags)
{
    return old == new || (flags & ~O_CLOEXEC) ? -EINVAL : replace_fd(old, new, flags & O_CLOEXEC);
}

static ssize_t sys_dup2(int old, int new)
{
    struct file *file = old == new ? fd_file(old) : NULL;

    if (!file)
        return old == new ? -EBADF : replace_fd(old, new, false);
    file_put(file);
    return new;
}

static ssize_t control_file(int fd, struct file *file, int command, uint64_t arg)
{
    bool *close_on_exec = &current_process()->files->close_on_exec[fd];
    const uint32_t changeable = O_APPEND | O_NONBLOCK;

    switch (command) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
        return arg >= FILES_MAX ? -EINVAL : dup_to(fd, arg, command == F_DUPFD_CLOEXEC);
    case F_GETFD:
        return *close_on_exec ? FD_CLOEXEC : 0;
    case F_SETFD:
        *close_on_exec = arg & FD_CLOEXEC;
        return 0;
    case F_GETFL:
        return file->flags;
    case F_SETFL:
        file->flags = (file->flags & ~changeable) | (arg & changeable);
        return 0;
    default:
        return -EINVAL;
    }
}

static ssize_t sys_fcntl(int fd, int command, uint64_t arg)
{
    struct file *file = fd_file(fd);

    if (!file)
        return -EBADF;
    ssize_t result = control_file(fd, file, command, arg);
    file_put(file);
    return result;
}

static ssize_t sys_ioctl(int fd, uint32_t request, uint64_t arg)
{
    struct file *file = fd_file(fd);

    if (!file)
        return -EBADF;
    ssize_t result = file->vnode->ops->ioctl ? file->vnode->ops->ioctl(file, request, arg) : -ENOTTY;
    file_put(file);
    return result;
}

static ssize_t do_truncate(struct vnode *node, int64_t size)
{
    if (size < 0)
        return -EINVAL;
    if (S_ISDIR(node->mode))
        return -EISDIR;
    if (!node->ops->truncate)
        return -EINVAL;
    mutex_lock(&node->lock);
    int error = node->ops->truncate(node, size);
    mutex_unlock(&node->lock);
    return error;
}

static ssize_t sys_ftruncate(int fd, int64_t size)
{
    struct file *file = fd_file(fd);

    if (!file)
        return -EBADF;
    bool writable = (file->flags & O_ACCMODE) != O_RDONLY && !(file->flags & O_PATH);
    ssize_t result = writable ? do_truncate(file->vnode, size) : -EINVAL;
    file_put(file);
    return result;
}

static ssize_t sys_truncate(uint64_t user_path, int64_t size)
{
    struct vnode *node;
    ssize_t result = user_path_lookup(AT_FDCWD, user_path, true, &node);

    if (result == 0) {
        result = do_truncate(node, size);
        vnode_put(node);
    }
    return result;
}

static ssize_t sys_fsync(int fd)
{
    struct file *file = fd_file(fd);

    if (!file)
        return -EBADF;
    struct vnode *node = file->vnode;
    int error = node->ops->stream_read ? -EINVAL : node->ops->sync ? node->ops->sync(node) : 0;
    file_put(file);
    return error;
}

static ssize_t sys_sync(void)
{
    mutex_lock(&tree_lock);
    for (struct mount *mount = mounts; mount; mount = mount->next)
        if (mount->root->ops->sync)
            mount->root->ops->sync(mount->root);
    mutex_unlock(&tree_lock);
    return 0;
}

SYSCALL(3, sys_close);
SYSCALL(8, sys_lseek);
SYSCALL(16, sys_ioctl);
SYSCALL(32, sys_dup);
SYSCALL(33, sys_dup2);
SYSCALL(72, sys_fcntl);
SYSCALL(74, sys_fsync);
SYSCALL(76, sys_truncate);
SYSCALL(77, sys_ftruncate);
SYSCALL(162, sys_sync);
SYSCALL(292, sys_dup3);
