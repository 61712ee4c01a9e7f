/* System calls about owners and times of files, and statx. */
#include "clock.h"
#include "errno.h"
#include "process.h"
#include "string.h"
#include "syscall.h"
#include "user.h"
#include "user_path.h"
#include "vfs.h"

#define UNCHANGED UINT32_MAX

struct owner {
    uint32_t uid, gid;
};

static void set_owner(struct vnode *node, const void *arg)
{
    const struct owner *owner = arg;

    if (owner->uid != UNCHANGED)
        node->uid = owner->uid;
    if (owner->gid != UNCHANGED)
        node->gid = owner->gid;
}

static bool empty_path(uint64_t user_path)
{
    char first;

    return copy_from_user(&first, user_path, 1) == 0 && first == 0;
}

/* A file by descriptor and path as the *at calls take it. */
static int find(int fd, uint64_t path, uint32_t flags, struct vnode **out)
{
    if ((flags & AT_EMPTY_PATH) && fd != AT_FDCWD && empty_path(path))
        return fd_vnode(fd, out);
    return user_path_lookup(fd, path, !(flags & AT_SYMLINK_NOFOLLOW), out);
}

static ssize_t sys_fchownat(int fd, uint64_t path, uint32_t uid, uint32_t gid, uint32_t flags)
{
    struct vnode *node;

    if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    int error = find(fd, path, flags, &node);
    if (error)
        return error;
    error = vnode_change(node, set_owner, &(struct owner){uid, gid});
    vnode_put(node);
    return error;
}

static ssize_t sys_chown(uint64_t path, uint32_t uid, uint32_t gid)
{
    return sys_fchownat(AT_FDCWD, path, uid, gid, 0);
}

static ssize_t sys_lchown(uint64_t path, uint32_t uid, uint32_t gid)
{
    return sys_fchownat(AT_FDCWD, path, uid, gid, AT_SYMLINK_NOFOLLOW);
}

static ssize_t sys_fchown(int fd, uint32_t uid, uint32_t gid)
{
    struct vnode *node;
    int error = fd_vnode(fd, &node);

    if (error)
        return error;
    error = vnode_change(node, set_owner, &(struct owner){uid, gid});
    vnode_put(node);
    return error;
}

static void set_times(struct vnode *node, const void *arg)
{
    const int64_t *times = arg;

    node->atime = times[0];
    node->mtime = times[1];
}

static int change_times(int fd, uint64_t path, const int64_t *times)
{
    struct vnode *node;
    int error = user_path_lookup(fd, path, true, &node);

    if (error)
        return error;
    error = vnode_change(node, set_times, times);
    vnode_put(node);
    return error;
}

static ssize_t sys_futimesat(int fd, uint64_t path, uint64_t user_times)
{
    int64_t now = clock_wall_ns(), times[2] = {now, now};
    struct timeval given[2];

    if (user_times && copy_from_user(given, user_times, sizeof(given)) != 0)
        return -EFAULT;
    for (int i = 0; user_times && i < 2; i++) {
        if (given[i].usec < 0 || given[i].usec >= 1000000)
            return -EINVAL;
        times[i] = given[i].sec * (int64_t)NS_PER_SECOND + given[i].usec * 1000;
    }
    return change_times(fd, path, times);
}

static ssize_t sys_utimes(uint64_t path, uint64_t times)
{
    return sys_futimesat(AT_FDCWD, path, times);
}

static ssize_t sys_utime(uint64_t path, uint64_t user_times)
{
    int64_t now = clock_wall_ns(), times[2] = {now, now};

    if (user_times && copy_from_user(times, user_times, sizeof(times)) != 0)
        return -EFAULT;
    for (int i = 0; user_times && i < 2; i++)
        times[i] *= (int64_t)NS_PER_SECOND;
    return change_times(AT_FDCWD, path, times);
}

#define STATX_BASIC_STATS 0x7ff
#define STATX_RESERVED    0x80000000
#define STATX_SYNC_TYPE   0x6000 /* of the flags: how fresh it must be */

struct statx_time {
    int64_t sec;
    uint32_t nsec, pad;
};

struct statx {
    uint32_t mask, blksize;
    uint64_t attributes;
    uint32_t nlink, uid, gid;
    uint16_t mode, pad;
    uint64_t ino, size, blocks, attributes_mask;
    struct statx_time atime, btime, ctime, mtime;
    uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
    uint64_t spare[14];
};

_Static_assert(sizeof(struct statx) == 256, "as in linux/stat.h");

static struct statx_time statx_time_of(int64_t ns)
{
    return (struct statx_time){ns / (int64_t)NS_PER_SECOND, ns % (int64_t)NS_PER_SECOND, 0};
}

static ssize_t give_statx(const struct vnode *node, uint64_t to)
{
    uint64_t device = node->mount ? node->mount->device : 0;
    struct statx statx = {
        .mask = STATX_BASIC_STATS,
        .blksize = PAGE_SIZE,
        .nlink = node->nlink,
        .uid = node->uid,
        .gid = node->gid,
        .mode = node->mode,
        .ino = node->ino,
        .size = node->size,
        .blocks = ROUND_UP(node->size, 512) / 512,
        .atime = statx_time_of(node->atime),
        .ctime = statx_time_of(node->ctime),
        .mtime = statx_time_of(node->mtime),
        .rdev_major = node->rdev >> 8,
        .rdev_minor = node->rdev & 0xff,
        .dev_major = device >> 8,
        .dev_minor = device & 0xff,
    };

    return copy_to_user(to, &statx, sizeof(statx));
}

static ssize_t sys_statx(int fd, uint64_t path, uint32_t flags, uint32_t mask, uint64_t to)
{
    const uint32_t known = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | STATX_SYNC_TYPE;
    struct vnode *node;

    if ((mask & STATX_RESERVED) || (flags & ~known) || (flags & STATX_SYNC_TYPE) == STATX_SYNC_TYPE)
        return -EINVAL;
    int error = find(fd, path, flags, &node);
    if (error)
        return error;
    ssize_t result = give_statx(node, to);
    vnode_put(node);
    return result;
}

SYSCALL(92, sys_chown);
SYSCALL(93, sys_fchown);
SYSCALL(94, sys_lchown);
SYSCALL(132, sys_utime);
SYSCALL(235, sys_utimes);
SYSCALL(260, sys_fchownat);
SYSCALL(261, sys_futimesat);
SYSCALL(332, sys_statx);
