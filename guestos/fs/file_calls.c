/* System calls on open files. */
#include "errno.h"
#include "frames.h"
#include "heap.h"
#include "process.h"
#include "string.h"
#include "syscall.h"
#include "user.h"
#include "user_path.h"
#include "vfs.h"

#define CHUNK PAGE_SIZE /* bytes that pass through the kernel at a time */

/* One chunk. `offset` counts only where the file is not a stream. */
static ssize_t read_chunk(struct file *file, void *to, size_t n, uint64_t offset)
{
    if (file->vnode->ops->stream_read)
        return file->vnode->ops->stream_read(file, to, n);
    return vnode_read(file->vnode, to, n, offset);
}

static ssize_t write_chunk(struct file *file, const void *from, size_t n, uint64_t *offset)
{
    struct vnode *node = file->vnode;

    if (node->ops->stream_write)
        return node->ops->stream_write(file, from, n);
    if (!node->ops->write)
        return -EINVAL;
    mutex_lock(&node->lock);
    if (file->flags & O_APPEND)
        *offset = node->size;
    ssize_t result = node->ops->write(node, from, n, *offset);
    mutex_unlock(&node->lock);
    return result;
}

/* What has been done counts; an error is only told if that is nothing. */
static ssize_t done_or_error(size_t done, ssize_t error)
{
    return done ? (ssize_t)done : error;
}

static ssize_t read_chunks(struct file *file, void *buffer, uint64_t to, size_t n, uint64_t *offset)
{
    size_t done = 0;

    while (done < n) {
        size_t part = MIN(n - done, CHUNK);
        ssize_t got = read_chunk(file, buffer, part, *offset);
        if (got < 0)
            return done_or_error(done, got);
        if (copy_to_user(to + done, buffer, got) != 0)
            return done_or_error(done, -EFAULT);
        done += got;
        *offset += got;
        if ((size_t)got < part || file->vnode->ops->stream_read)
            break; /* the end, or all that a stream has now */
    }
    return done;
}

static ssize_t write_chunks(struct file *file, void *buffer, uint64_t from, size_t n, uint64_t *offset)
{
    size_t done = 0;

    while (done < n) {
        size_t part = MIN(n - done, CHUNK);
        if (copy_from_user(buffer, from + done, part) != 0)
            return done_or_error(done, -EFAULT);
        ssize_t put = write_chunk(file, buffer, part, offset);
        if (put < 0)
            return done_or_error(done, put);
        done += put;
        *offset += put;
        if ((size_t)put < part && !file->vnode->ops->stream_write)
            break; /* the disk is full */
    }
    return done;
}

typedef ssize_t transfer_chunks(struct file *file, void *buffer, uint64_t user, size_t n, uint64_t *offset);

static ssize_t with_buffer(transfer_chunks *chunks, struct file *file, uint64_t user, size_t n,
                           uint64_t *offset)
{
    uint64_t frame;

    if (!user_range(user, n))
        return -EFAULT;
    frame = frame_alloc();
    if (!frame)
        return -ENOMEM;
    ssize_t result = chunks(file, phys_to_virt(frame), user, n, offset);
    frame_put(frame);
    return result;
}

/* Transfer at the file's own position. */
static ssize_t transfer(transfer_chunks *chunks, struct file *file, uint64_t user, size_t n)
{
    uint64_t unused = 0;

    if (file->vnode->ops->stream_read || file->vnode->ops->stream_write)
        return with_buffer(chunks, file, user, n,
                           &unused); /* a stream has no position, and may block for long */
    mutex_lock(&file->lock);
    ssize_t result = with_buffer(chunks, file, user, n, &file->position);
    mutex_unlock(&file->lock);
    return result;
}

static struct file *file_for(int fd, bool writing)
{
    struct file *file = fd_file(fd);
    uint32_t mode = file ? file->flags & O_ACCMODE : 0;

    if (file && ((file->flags & O_PATH) || mode == (writing ? O_RDONLY : O_WRONLY))) {
        file_put(file);
        return NULL;
    }
    return file;
}

static ssize_t do_transfer(int fd, uint64_t user, size_t n, bool writing)
{
    struct file *file = file_for(fd, writing);

    if (!file)
        return -EBADF;
    ssize_t result = transfer(writing ? write_chunks : read_chunks, file, user, n);
    file_put(file);
    return result;
}

static ssize_t sys_read(int fd, uint64_t to, size_t n)
{
    return do_transfer(fd, to, n, false);
}

static ssize_t sys_write(int fd, uint64_t from, size_t n)
{
    return do_transfer(fd, from, n, true);
}

static ssize_t do_at(int fd, uint64_t user, size_t n, int64_t offset, bool writing)
{
    struct file *file = file_for(fd, writing);
    uint64_t at = offset;
    ssize_t result = -ESPIPE;

    if (!file)
        return -EBADF;
    if (offset < 0)
        result = -EINVAL;
    else if (!file->vnode->ops->stream_read)
        result = with_buffer(writing ? write_chunks : read_chunks, file, user, n, &at);
    file_put(file);
    return result;
}

static ssize_t sys_pread64(int fd, uint64_t to, size_t n, int64_t offset)
{
    return do_at(fd, to, n, offset, false);
}

static ssize_t sys_pwrite64(int fd, uint64_t from, size_t n, int64_t offset)
{
    return do_at(fd, from, n, offset, true);
}

static ssize_t transfer_pieces(int fd, const struct iovec *pieces, size_t count, bool writing)
{
    size_t done = 0;

    for (size_t i = 0; i < count; i++) {
        ssize_t n = do_transfer(fd, pieces[i].base, pieces[i].length, writing);
        if (n < 0)
            return done_or_error(done, n);
        done += n;
        if ((uint64_t)n < pieces[i].length)
            break;
    }
    return done;
}

static ssize_t do_vector(int fd, uint64_t user_pieces, uint64_t count, bool writing)
{
    if (count > IOV_MAX)
        return -EINVAL;
    struct iovec *pieces = kmalloc(count * sizeof(*pieces) + 1);
    if (!pieces)
        return -ENOMEM;
    ssize_t result = copy_from_user(pieces, user_pieces, count * sizeof(*pieces));
    for (uint64_t i = 0; i < count && result == 0; i++)
        if ((int64_t)pieces[i].length < 0)
            result = -EINVAL;
    if (result == 0)
        result = transfer_pieces(fd, pieces, count, writing);
    kfree(pieces);
    return result;
}

static ssize_t sys_readv(int fd, uint64_t pieces, uint64_t count)
{
    return do_vector(fd, pieces, count, false);
}

static ssize_t sys_writev(int fd, uint64_t pieces, uint64_t count)
{
    return do_vector(fd, pieces, count, true);
}

/* Copy up to n bytes from `in`, at *offset, to `out`. */
static ssize_t send_chunks(struct file *out, struct file *in, void *buffer, size_t n, uint64_t *offset)
{
    size_t done = 0;

    while (done < n) {
        ssize_t got = read_chunk(in, buffer, MIN(n - done, CHUNK), *offset);
        if (got <= 0)
            return done_or_error(done, got);
        ssize_t put = write_chunk(out, buffer, got, &out->position);
        if (put < 0)
            return done_or_error(done, put);
        done += put;
        *offset += put;
        if (!out->vnode->ops->stream_write)
            out->position += put;
        if (put < got)
            break;
    }
    return done;
}

static ssize_t send(struct file *out, struct file *in, uint64_t user_offset, size_t n)
{
    uint64_t offset = in->position, frame;

    if (in->vnode->ops->stream_read || (out->flags & O_APPEND))
        return -EINVAL;
    if (user_offset && copy_from_user(&offset, user_offset, sizeof(offset)) != 0)
        return -EFAULT;
    if ((int64_t)offset < 0)
        return -EINVAL;
    frame = frame_alloc();
    if (!frame)
        return -ENOMEM;
    ssize_t result = send_chunks(out, in, phys_to_virt(frame), n, &offset);
    frame_put(frame);
    if (!user_offset)
        in->position = offset;
    else if (result >= 0 && copy_to_user(user_offset, &offset, sizeof(offset)) != 0)
        result = -EFAULT;
    return result;
}

static ssize_t sys_sendfile(int out_fd, int in_fd, uint64_t user_offset, size_t n)
{
    struct file *out = file_for(out_fd, true), *in = file_for(in_fd, false);
    ssize_t result = out && in ? send(out, in, user_offset, n) : -EBADF;

    if (out)
        file_put(out);
    if (in)
        file_put(in);
    return result;
}

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

SYSCALL(0, sys_read);
SYSCALL(1, sys_write);
SYSCALL(3, sys_close);
SYSCALL(8, sys_lseek);
SYSCALL(16, sys_ioctl);
SYSCALL(17, sys_pread64);
SYSCALL(18, sys_pwrite64);
SYSCALL(19, sys_readv);
SYSCALL(20, sys_writev);
SYSCALL(32, sys_dup);
SYSCALL(33, sys_dup2);
SYSCALL(40, sys_sendfile);
SYSCALL(72, sys_fcntl);
SYSCALL(74, sys_fsync);
SYSCALL(76, sys_truncate);
SYSCALL(77, sys_ftruncate);
SYSCALL(162, sys_sync);
SYSCALL(292, sys_dup3);
