/* System calls that take names of files. */
#include "clock.h"
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

/* Look up the directory and last name of a path; the tree is locked when this returns 0. */
static int lock_parent(int fd, uint64_t user_path, struct vnode **directory, char *name)
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

static void unlock_parent(struct vnode *directory)
{
    mutex_unlock(&tree_lock);
    vnode_put(directory);
}

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* A new directory, link or other node. */
static ssize_t make_node(int fd, uint64_t user_path, uint32_t mode, const char *target)
{
    char name[NAME_MAX + 1];
    struct vnode *directory, *node;
    int error = lock_parent(fd, user_path, &directory, name);

    if (error)
        return error == -EBUSY ? -EEXIST : error; /* "/" */
    if (is_dots(name))
        error = -EEXIST;
    else if (path_step(directory, name, &node) == 0) {
        vnode_put(node);
        error = -EEXIST;
    } else if (!directory->ops->create)
        error = -EROFS;
    else if ((error = directory->ops->create(directory, name, mode, target, &node)) == 0)
        vnode_put(node);
    unlock_parent(directory);
    return error;
}

static ssize_t sys_mkdirat(int fd, uint64_t path, uint32_t mode)
{
    return make_node(fd, path, S_IFDIR | (mode & 01777 & ~current_process()->umask), NULL);
}

static ssize_t sys_mkdir(uint64_t path, uint32_t mode)
{
    return sys_mkdirat(AT_FDCWD, path, mode);
}

static ssize_t sys_symlinkat(uint64_t user_target, int fd, uint64_t path)
{
    char *target = kmalloc(PATH_MAX);
    ssize_t n = target ? string_from_user(target, user_target, PATH_MAX) : -ENOMEM;

    if (n > 0)
        n = make_node(fd, path, S_IFLNK | 0777, target);
    else if (n == 0)
        n = -ENOENT;
    kfree(target);
    return n;
}

static ssize_t sys_symlink(uint64_t target, uint64_t path)
{
    return sys_symlinkat(target, AT_FDCWD, path);
}

static int check_removable(struct vnode *node, const char *name, uint32_t flags)
{
    if (flags & AT_REMOVEDIR) {
        if (strcmp(name, ".") == 0)
            return -EINVAL;
        if (strcmp(name, "..") == 0)
            return -ENOTEMPTY;
        if (!S_ISDIR(node->mode))
            return -ENOTDIR;
        return node->mount->root == node ? -EBUSY : 0;
    }
    return S_ISDIR(node->mode) ? -EISDIR : 0;
}

static ssize_t sys_unlinkat(int fd, uint64_t user_path, uint32_t flags)
{
    char name[NAME_MAX + 1];
    struct vnode *directory, *node;

    if (flags & ~AT_REMOVEDIR)
        return -EINVAL;
    int error = lock_parent(fd, user_path, &directory, name);
    if (error)
        return error == -EBUSY && !(flags & AT_REMOVEDIR) ? -EISDIR : error;
    error = path_step(directory, name, &node);
    if (error == 0) {
        error = check_removable(node, name, flags);
        if (error == 0)
            error = directory->ops->unlink ? directory->ops->unlink(directory, name, node) : -EROFS;
        vnode_put(node);
    }
    unlock_parent(directory);
    return error;
}

static ssize_t sys_unlink(uint64_t path)
{
    return sys_unlinkat(AT_FDCWD, path, 0);
}

static ssize_t sys_rmdir(uint64_t path)
{
    return sys_unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

static ssize_t sys_linkat(int old_fd, uint64_t old_path, int fd, uint64_t path, uint32_t flags)
{
    char name[NAME_MAX + 1];
    struct vnode *directory, *node;
    int error = user_path_lookup(old_fd, old_path, flags & AT_SYMLINK_FOLLOW, &node);

    if (error)
        return error;
    error = S_ISDIR(node->mode) ? -EPERM : lock_parent(fd, path, &directory, name);
    if (error == 0) {
        if (directory->mount != node->mount)
            error = -EXDEV;
        else
            error = directory->ops->link ? directory->ops->link(directory, name, node) : -EPERM;
        unlock_parent(directory);
    }
    vnode_put(node);
    return error == -EBUSY ? -EEXIST : error;
}

static ssize_t sys_link(uint64_t old_path, uint64_t path)
{
    return sys_linkat(AT_FDCWD, old_path, AT_FDCWD, path, 0);
}

/* Is `node` the directory or one of those above it? */
static bool is_above(const struct vnode *node, struct vnode *directory)
{
    for (struct vnode *at = directory; at; at = at->parent)
        if (at == node)
            return true;
    return false;
}

/* May `node` take the place of `target` (NULL: nothing is there) in the directory `to`? */
static int check_rename(const struct vnode *node, const struct vnode *target, struct vnode *to)
{
    if (node->mount != to->mount)
        return -EXDEV;
    if (node == node->mount->root || node->mounted_here)
        return -EBUSY;
    if (S_ISDIR(node->mode) && is_above(node, to))
        return -EINVAL;
    if (!target)
        return 0;
    if (S_ISDIR(node->mode) && !S_ISDIR(target->mode))
        return -ENOTDIR;
    if (!S_ISDIR(node->mode) && S_ISDIR(target->mode))
        return -EISDIR;
    return 0;
}

static bool any_entry(void *arg, const char *name, uint64_t ino, uint32_t mode, uint64_t next)
{
    (void)ino;
    (void)mode;
    (void)next;
    if (!is_dots(name))
        *(bool *)arg = true;
    return !*(bool *)arg;
}

static bool directory_empty(struct vnode *directory)
{
    bool any = false;

    directory->ops->readdir(directory, 0, any_entry, &any);
    return !any;
}

static int rename_locked(struct vnode *from, const char *old_name, struct vnode *to, const char *new_name)
{
    struct vnode *node, *target = NULL;

    if (is_dots(old_name) || is_dots(new_name))
        return -EBUSY;
    int error = path_step(from, old_name, &node);
    if (error)
        return error;
    if (path_step(to, new_name, &target) != 0)
        target = NULL;
    error = check_rename(node, target, to);
    if (error == 0 && target && target != node && S_ISDIR(target->mode) && !directory_empty(target))
        error = -ENOTEMPTY;
    if (error == 0 && target != node)
        error = from->ops->rename ? from->ops->rename(from, old_name, to, new_name) : -EROFS;
    if (target)
        vnode_put(target);
    vnode_put(node);
    return error;
}

static ssize_t sys_renameat2(int old_fd, uint64_t old_path, int new_fd, uint64_t new_path, uint32_t flags)
{
    char old_name[NAME_MAX + 1], new_name[NAME_MAX + 1];
    struct user_path path;
    struct vnode *from, *to;

    if (flags)
        return -EINVAL;
    int error = path_take(new_fd, new_path, &path);
    if (error)
        return error;
    error = lock_parent(old_fd, old_path, &from, old_name);
    if (error == 0) {
        error = path_parent(path.start, path.text, &to, new_name);
        if (error == 0) {
            error = rename_locked(from, old_name, to, new_name);
            vnode_put(to);
        }
        unlock_parent(from);
    }
    path_release(&path);
    return error;
}

static ssize_t sys_renameat(int old_fd, uint64_t old_path, int new_fd, uint64_t new_path)
{
    return sys_renameat2(old_fd, old_path, new_fd, new_path, 0);
}

static ssize_t sys_rename(uint64_t old_path, uint64_t new_path)
{
    return sys_renameat2(AT_FDCWD, old_path, AT_FDCWD, new_path, 0);
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
SYSCALL(82, sys_rename);
SYSCALL(83, sys_mkdir);
SYSCALL(84, sys_rmdir);
SYSCALL(85, sys_creat);
SYSCALL(86, sys_link);
SYSCALL(87, sys_unlink);
SYSCALL(88, sys_symlink);
SYSCALL(89, sys_readlink);
SYSCALL(257, sys_openat);
SYSCALL(258, sys_mkdirat);
SYSCALL(263, sys_unlinkat);
SYSCALL(264, sys_renameat);
SYSCALL(265, sys_linkat);
SYSCALL(266, sys_symlinkat);
SYSCALL(267, sys_readlinkat);
SYSCALL(269, sys_faccessat);
SYSCALL(316, sys_renameat2);
SYSCALL(439, sys_faccessat2);
