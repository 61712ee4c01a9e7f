/* System calls about the attributes of files and file systems, and about what is in a directory. */
#include "clock.h"
#include "errno.h"
#include "heap.h"
#include "process.h"
#include "string.h"
#include "syscall.h"
#include "user.h"
#include "user_path.h"
#include "vfs.h"

#define UTIME_NOW  0x3fffffff
#define UTIME_OMIT 0x3ffffffe

static struct timespec timespec_of(int64_t ns)
{
    return (struct timespec){ns / (int64_t)NS_PER_SECOND, ns % (int64_t)NS_PER_SECOND};
}

static ssize_t give_stat(struct vnode *node, uint64_t to)
{
    struct stat stat = {
        .dev = node->mount ? node->mount->device : 0,
        .ino = node->ino,
        .nlink = node->nlink,
        .mode = node->mode,
        .uid = node->uid,
        .gid = node->gid,
        .rdev = node->rdev,
        .size = node->size,
        .blksize = PAGE_SIZE,
        .blocks = ROUND_UP(node->size, 512) / 512,
        .atime = timespec_of(node->atime),
        .mtime = timespec_of(node->mtime),
        .ctime = timespec_of(node->ctime),
    };

    return copy_to_user(to, &stat, sizeof(stat));
}

static ssize_t sys_fstat(int fd, uint64_t to)
{
    struct file *file = fd_file(fd);

    if (!file)
        return -EBADF;
    ssize_t result = give_stat(file->vnode, to);
    file_put(file);
    return result;
}

static bool empty_path(uint64_t user_path)
{
    char first;

    return copy_from_user(&first, user_path, 1) == 0 && first == 0;
}

static ssize_t sys_newfstatat(int fd, uint64_t path, uint64_t to, uint32_t flags)
{
    struct vnode *node;

    if ((flags & AT_EMPTY_PATH) && fd != AT_FDCWD && empty_path(path))
        return sys_fstat(fd, to);
    int error = user_path_lookup(fd, path, !(flags & AT_SYMLINK_NOFOLLOW), &node);
    if (error)
        return error;
    ssize_t result = give_stat(node, to);
    vnode_put(node);
    return result;
}

static ssize_t sys_stat(uint64_t path, uint64_t to)
{
    return sys_newfstatat(AT_FDCWD, path, to, 0);
}

static ssize_t sys_lstat(uint64_t path, uint64_t to)
{
    return sys_newfstatat(AT_FDCWD, path, to, AT_SYMLINK_NOFOLLOW);
}

int vnode_change(struct vnode *node, void (*change)(struct vnode *node, const void *arg), const void *arg)
{
    if (!node->ops->set_attributes)
        return -EPERM;
    mutex_lock(&node->lock);
    change(node, arg);
    node->ctime = clock_wall_ns();
    int error = node->ops->set_attributes(node);
    mutex_unlock(&node->lock);
    return error;
}

static void set_mode(struct vnode *node, const void *mode)
{
    node->mode = (node->mode & S_IFMT) | (*(const uint32_t *)mode & 07777);
}

static ssize_t sys_fchmodat(int fd, uint64_t path, uint32_t mode)
{
    struct vnode *node;
    int error = user_path_lookup(fd, path, true, &node);

    if (error)
        return error;
    ssize_t result = vnode_change(node, set_mode, &mode);
    vnode_put(node);
    return result;
}

static ssize_t sys_chmod(uint64_t path, uint32_t mode)
{
    return sys_fchmodat(AT_FDCWD, path, mode);
}

static ssize_t sys_fchmod(int fd, uint32_t mode)
{
    struct file *file = fd_file(fd);

    if (!file)
        return -EBADF;
    ssize_t result = vnode_change(file->vnode, set_mode, &mode);
    file_put(file);
    return result;
}

static void set_times(struct vnode *node, const void *arg)
{
    const struct timespec *times = arg;
    int64_t *fields[2] = {&node->atime, &node->mtime};

    for (int i = 0; i < 2; i++) {
        if (times[i].nsec == UTIME_NOW)
            *fields[i] = clock_wall_ns();
        else if (times[i].nsec != UTIME_OMIT)
            *fields[i] = times[i].sec * (int64_t)NS_PER_SECOND + times[i].nsec;
    }
}

static bool time_ok(const struct timespec *time)
{
    return time->nsec == UTIME_NOW || time->nsec == UTIME_OMIT ||
           (time->nsec >= 0 && time->nsec < (int64_t)NS_PER_SECOND);
}

static ssize_t sys_utimensat(int fd, uint64_t path, uint64_t user_times, uint32_t flags)
{
    struct timespec times[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
    struct vnode *node;

    if (user_times && copy_from_user(times, user_times, sizeof(times)) != 0)
        return -EFAULT;
    if (!time_ok(&times[0]) || !time_ok(&times[1]))
        return -EINVAL;
    /* futimens: without a path, the file is the descriptor itself */
    int error =
        path ? user_path_lookup(fd, path, !(flags & AT_SYMLINK_NOFOLLOW), &node) : fd_vnode(fd, &node);
    if (error)
        return error;
    error = vnode_change(node, set_times, times);
    vnode_put(node);
    return error;
}

static ssize_t give_statfs(struct vnode *node, uint64_t to)
{
    struct filesystem_info info = {0};

    if (node->mount && node->mount->info)
        node->mount->info(node->mount, &info);
    struct statfs statfs = {
        .type = info.type,
        .bsize = info.block_size ? info.block_size : PAGE_SIZE,
        .frsize = info.block_size ? info.block_size : PAGE_SIZE,
        .blocks = info.blocks,
        .bfree = info.free_blocks,
        .bavail = info.free_blocks,
        .namelen = NAME_MAX,
    };
    return copy_to_user(to, &statfs, sizeof(statfs));
}

static ssize_t sys_statfs(uint64_t path, uint64_t to)
{
    struct vnode *node;
    int error = user_path_lookup(AT_FDCWD, path, true, &node);

    if (error)
        return error;
    ssize_t result = give_statfs(node, to);
    vnode_put(node);
    return result;
}

static ssize_t sys_fstatfs(int fd, uint64_t to)
{
    struct file *file = fd_file(fd);

    if (!file)
        return -EBADF;
    ssize_t result = give_statfs(file->vnode, to);
    file_put(file);
    return result;
}

static ssize_t sys_umask(uint32_t mask)
{
    uint32_t old = current_process()->umask;

    current_process()->umask = mask & 0777;
    return old;
}

/* Positions in a directory as programs see them: 0 is ".", 1 is "..", then the file system's own, moved by 2.
 */
#define FIRST_REAL    2
#define LISTING_BYTES PAGE_SIZE /* given at once, at most */

/* It is gathered in the kernel: the program's memory may be a file's, whose disk is locked meanwhile. */
struct listing {
    char *to;
    size_t room, used;
    uint64_t next; /* the position after the last entry that was given */
    int error;
};

static bool give_entry(struct listing *listing, const char *name, uint64_t ino, uint32_t mode, uint64_t next)
{
    struct dirent64 *entry = (struct dirent64 *)(listing->to + listing->used);
    size_t length = ROUND_UP(offsetof(struct dirent64, name) + strlen(name) + 1, 8);

    if (length > listing->room - listing->used) {
        if (listing->used == 0)
            listing->error = -EINVAL; /* not even one entry fits */
        return false;
    }
    memset(entry, 0, length);
    *entry = (struct dirent64){.ino = ino, .offset = next, .length = length, .type = (mode & S_IFMT) >> 12};
    memcpy(entry->name, name, strlen(name));
    listing->used += length;
    listing->next = next;
    return true;
}

static bool give_real_entry(void *listing, const char *name, uint64_t ino, uint32_t mode, uint64_t next)
{
    return give_entry(listing, name, ino, mode, next + FIRST_REAL);
}

static void list_directory(struct vnode *dir, struct listing *listing)
{
    uint64_t parent_ino = dir->parent ? dir->parent->ino : dir->ino;

    if (listing->next == 0 && !give_entry(listing, ".", dir->ino, S_IFDIR, 1))
        return;
    if (listing->next == 1 && !give_entry(listing, "..", parent_ino, S_IFDIR, FIRST_REAL))
        return;
    int error = dir->ops->readdir(dir, listing->next - FIRST_REAL, give_real_entry, listing);
    if (error && !listing->error)
        listing->error = error;
}

/* Gather entries from the file's position on, and give them. Returns the number of bytes, or -errno. */
static ssize_t give_listing(struct file *file, struct listing *listing, uint64_t to)
{
    mutex_lock(&tree_lock);
    list_directory(file->vnode, listing);
    mutex_unlock(&tree_lock);
    if (copy_to_user(to, listing->to, listing->used) != 0)
        return -EFAULT;
    file->position = listing->next;
    return listing->used ? (ssize_t)listing->used : listing->error;
}

static ssize_t sys_getdents64(int fd, uint64_t to, uint32_t size)
{
    struct file *file = fd_file(fd);
    ssize_t result = -ENOTDIR;

    if (!file)
        return -EBADF;
    if (S_ISDIR(file->vnode->mode)) {
        struct listing listing = {
            .to = kmalloc(LISTING_BYTES), .room = MIN(size, LISTING_BYTES), .next = file->position};
        result = listing.to ? give_listing(file, &listing, to) : -ENOMEM;
        kfree(listing.to);
    }
    file_put(file);
    return result;
}

SYSCALL(4, sys_stat);
SYSCALL(5, sys_fstat);
SYSCALL(6, sys_lstat);
SYSCALL(90, sys_chmod);
SYSCALL(91, sys_fchmod);
SYSCALL(95, sys_umask);
SYSCALL(137, sys_statfs);
SYSCALL(138, sys_fstatfs);
SYSCALL(217, sys_getdents64);
SYSCALL(262, sys_newfstatat);
SYSCALL(268, sys_fchmodat);
SYSCALL(280, sys_utimensat);
