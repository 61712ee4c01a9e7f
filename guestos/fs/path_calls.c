/* Taking paths from programs, and the system calls that only look them up. */
#include "errno.h"
#include "heap.h"
#include "process.h"
#include "string.h"
#include "syscall.h"
#include "user.h"
#include "user_path.h"
#include "vfs.h"

/* The directory from which a relative path starts; the result has a reference. */
static int start_directory(int fd, const char *path, struct vnode **out)
{
    if (*path == '/' || fd == AT_FDCWD) {
        *out = vnode_get(*path == '/' ? root_directory() : current_process()->cwd);
        return 0;
    }
    struct file *file = fd_file(fd);
    if (!file)
        return -EBADF;
    *out = vnode_get(file->vnode);
    file_put(file);
    if (S_ISDIR((*out)->mode))
        return 0;
    vnode_put(*out);
    return -ENOTDIR;
}

void path_release(struct user_path *path)
{
    if (path->start)
        vnode_put(path->start);
    kfree(path->text);
}

int path_take(int fd, uint64_t user_path, struct user_path *path)
{
    *path = (struct user_path){.text = kmalloc(PATH_MAX)};
    if (!path->text)
        return -ENOMEM;
    ssize_t n = string_from_user(path->text, user_path, PATH_MAX);
    int error = n < 0 ? n : start_directory(fd, path->text, &path->start);
    if (error) {
        path->start = NULL;
        path_release(path);
    }
    return error;
}

int user_path_lookup(int fd, uint64_t user_path, bool follow, struct vnode **out)
{
    struct user_path path;
    int error = path_take(fd, user_path, &path);

    if (error)
        return error;
    error = path_lookup(path.start, path.text, follow, out);
    path_release(&path);
    return error;
}

static ssize_t sys_openat(int dirfd, uint64_t user_path, uint32_t flags, uint32_t mode)
{
    struct user_path path;
    struct file *file;
    int error = path_take(dirfd, user_path, &path);

    if (error)
        return error;
    error = file_open(path.start, path.text, flags, mode & 07777 & ~current_process()->umask, &file);
    path_release(&path);
    return error ? error : fd_install(file, 0, flags & O_CLOEXEC);
}

static ssize_t sys_open(uint64_t path, uint32_t flags, uint32_t mode)
{
    return sys_openat(AT_FDCWD, path, flags, mode);
}

static ssize_t sys_creat(uint64_t path, uint32_t mode)
{
    return sys_openat(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

int path_lock_parent(int fd, uint64_t user_path, struct vnode **directory, char *name)
{
    struct user_path path;
    int error = path_take(fd, user_path, &path);

    if (error)
        return error;
    mutex_lock(&tree_lock);
    error = path_parent(path.start, path.text, directory, name);
    if (error)
        mutex_unlock(&tree_lock);
    path_release(&path);
    return error;
}

void path_unlock_parent(struct vnode *directory)
{
    mutex_unlock(&tree_lock);
    vnode_put(directory);
}

static ssize_t sys_readlinkat(int fd, uint64_t path, uint64_t to, ssize_t size)
{
    struct vnode *node;

    if (size <= 0)
        return -EINVAL;
    int error = user_path_lookup(fd, path, false, &node);
    if (error)
        return error;
    char *text = kmalloc(PATH_MAX);
    ssize_t n = !text ? -ENOMEM : S_ISLNK(node->mode) ? node->ops->readlink(node, text, PATH_MAX) : -EINVAL;
    if (n > 0) {
        n = MIN(n, size);
        if (copy_to_user(to, text, n) != 0)
            n = -EFAULT;
    }
    kfree(text);
    vnode_put(node);
    return n;
}

static ssize_t sys_readlink(uint64_t path, uint64_t to, ssize_t size)
{
    return sys_readlinkat(AT_FDCWD, path, to, size);
}

static void change_directory(struct vnode *node)
{
    struct vnode *old = current_process()->cwd;

    current_process()->cwd = node;
    vnode_put(old);
}

static ssize_t sys_chdir(uint64_t path)
{
    struct vnode *node;
    int error = user_path_lookup(AT_FDCWD, path, true, &node);

    if (error)
        return error;
    if (!S_ISDIR(node->mode)) {
        vnode_put(node);
        return -ENOTDIR;
    }
    change_directory(node);
    return 0;
}

static ssize_t sys_fchdir(int fd)
{
    struct file *file = fd_file(fd);

    if (!file)
        return -EBADF;
    int error = S_ISDIR(file->vnode->mode) ? 0 : -ENOTDIR;
    if (error == 0)
        change_directory(vnode_get(file->vnode));
    file_put(file);
    return error;
}

static ssize_t sys_getcwd(uint64_t to, size_t size)
{
    char *text = kmalloc(PATH_MAX);

    if (!text)
        return -ENOMEM;
    ssize_t n = path_of(current_process()->cwd, text, MIN(size, PATH_MAX));
    if (n >= 0)
        n = copy_to_user(to, text, n + 1) == 0 ? n + 1 : -EFAULT;
    kfree(text);
    return n;
}

/* Access control: everybody is root, so only "may it be executed" has an answer that can be no. */
static ssize_t sys_faccessat2(int fd, uint64_t path, uint32_t mode, uint32_t flags)
{
    struct vnode *node;

    if (mode & ~7u)
        return -EINVAL;
    int error = user_path_lookup(fd, path, !(flags & AT_SYMLINK_NOFOLLOW), &node);
    if (error)
        return error;
    if ((mode & 1) && !S_ISDIR(node->mode) && !(node->mode & 0111))
        error = -EACCES;
    vnode_put(node);
    return error;
}

static ssize_t sys_faccessat(int fd, uint64_t path, uint32_t mode)
{
    return sys_faccessat2(fd, path, mode, 0);
}

static ssize_t sys_access(uint64_t path, uint32_t mode)
{
    return sys_faccessat2(AT_FDCWD, path, mode, 0);
}

SYSCALL(2, sys_open);
SYSCALL(21, sys_access);
SYSCALL(79, sys_getcwd);
SYSCALL(80, sys_chdir);
SYSCALL(81, sys_fchdir);
SYSCALL(85, sys_creat);
SYSCALL(89, sys_readlink);
SYSCALL(257, sys_openat);
SYSCALL(267, sys_readlinkat);
SYSCALL(269, sys_faccessat);
SYSCALL(439, sys_faccessat2);
