/* Reading and writing many pieces at a given place, advice about files, and closing many descriptors. */
#include "errno.h"
#include "heap.h"
#include "process.h"
#include "syscall.h"
#include "user.h"
#include "user_path.h"
#include "vfs.h"

#define FADVISE_LAST 5

/* One piece after the other, by the call for one. */
static ssize_t transfer_at(int fd, uint64_t user_pieces, uint64_t count, uint64_t offset, uint64_t call)
{
    struct iovec piece;
    size_t done = 0;

    if (count > IOV_MAX)
        return -EINVAL;
    for (uint64_t i = 0; i < count; i++) {
        ssize_t n = copy_from_user(&piece, user_pieces + i * sizeof(piece), sizeof(piece));
        if (n == 0 && (int64_t)piece.length < 0)
            n = -EINVAL;
        if (n == 0)
            n = syscall_find(call)->call(fd, piece.base, piece.length, offset + done, 0, 0);
        if (n < 0)
            return done ? (ssize_t)done : n;
        done += n;
        if ((uint64_t)n < piece.length)
            break;
    }
    return done;
}

static ssize_t sys_preadv(int fd, uint64_t pieces, uint64_t count, uint64_t offset)
{
    return transfer_at(fd, pieces, count, offset, 17);
}

static ssize_t sys_pwritev(int fd, uint64_t pieces, uint64_t count, uint64_t offset)
{
    return transfer_at(fd, pieces, count, offset, 18);
}

/* Advice may be ignored. */
static ssize_t sys_fadvise64(int fd, int64_t offset, int64_t size, int advice)
{
    struct vnode *node;
    int error = fd_vnode(fd, &node);

    (void)offset;
    if (error)
        return error;
    error = node->ops->stream_read ? -ESPIPE : advice < 0 || advice > FADVISE_LAST || size < 0 ? -EINVAL : 0;
    vnode_put(node);
    return error;
}

static ssize_t sys_close_range(uint32_t first, uint32_t last, uint32_t flags)
{
    if (first > last || flags)
        return -EINVAL;
    for (uint32_t fd = first; fd <= last && fd < FILES_MAX; fd++)
        fd_close(fd);
    return 0;
}

/* Only regular files can be made: Moss's devices are there by themselves, in /dev. */
static ssize_t sys_mknodat(int dirfd, uint64_t user_path, uint32_t mode)
{
    struct user_path path;
    struct file *file;

    if ((mode & S_IFMT) && !S_ISREG(mode))
        return -EPERM;
    int error = path_take(dirfd, user_path, &path);
    if (error)
        return error;
    error = file_open(path.start, path.text, O_CREAT | O_EXCL | O_RDONLY,
                      mode & 07777 & ~current_process()->umask, &file);
    path_release(&path);
    if (error == 0)
        file_put(file);
    return error;
}

static ssize_t sys_mknod(uint64_t path, uint32_t mode)
{
    return sys_mknodat(AT_FDCWD, path, mode);
}

SYSCALL(133, sys_mknod);
SYSCALL(221, sys_fadvise64);
SYSCALL(259, sys_mknodat);
SYSCALL(295, sys_preadv);
SYSCALL(296, sys_pwritev);
SYSCALL(436, sys_close_range);
