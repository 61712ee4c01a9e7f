/* System calls that move bytes between a program and an open file. */
#include "errno.h"
#include "frames.h"
#include "heap.h"
#include "process.h"
#include "syscall.h"
#include "user.h"
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
    if (!S_ISREG(node->mode))
        return node->ops->write(node, from, n, *offset);
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

SYSCALL(0, sys_read);
SYSCALL(1, sys_write);
SYSCALL(17, sys_pread64);
SYSCALL(18, sys_pwrite64);
SYSCALL(19, sys_readv);
SYSCALL(20, sys_writev);
SYSCALL(40, sys_sendfile);
