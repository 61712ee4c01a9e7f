/* System calls that make, remove and move names: directories, links, rename. */
#include "errno.h"
#include "heap.h"
#include "process.h"
#include "string.h"
#include "syscall.h"
#include "user.h"
#include "user_path.h"
#include "vfs.h"

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* A new directory, link or other node. */
static ssize_t make_node(int fd, uint64_t user_path, uint32_t mode, const char *target)
{
    char name[NAME_MAX + 1];
    struct vnode *directory, *node;
    int error = path_lock_parent(fd, user_path, &directory, name);

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
    path_unlock_parent(directory);
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
    int error = path_lock_parent(fd, user_path, &directory, name);
    if (error)
        return error == -EBUSY && !(flags & AT_REMOVEDIR) ? -EISDIR : error;
    error = path_step(directory, name, &node);
    if (error == 0) {
        error = check_removable(node, name, flags);
        if (error == 0)
            error = directory->ops->unlink ? directory->ops->unlink(directory, name, node) : -EROFS;
        vnode_put(node);
    }
    path_unlock_parent(directory);
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
    error = S_ISDIR(node->mode) ? -EPERM : path_lock_parent(fd, path, &directory, name);
    if (error == 0) {
        if (directory->mount != node->mount)
            error = -EXDEV;
        else
            error = directory->ops->link ? directory->ops->link(directory, name, node) : -EPERM;
        path_unlock_parent(directory);
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
    if (node == node->mount->root || node->mounted_here || (target && target == target->mount->root))
        return -EBUSY; /* something is mounted there */
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
    bool same = target == node && !(node->mount->ignores_case && strcmp(old_name, new_name) != 0);
    if (error == 0 && !same)
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
    error = path_lock_parent(old_fd, old_path, &from, old_name);
    if (error == 0) {
        error = path_parent(path.start, path.text, &to, new_name);
        if (error == 0) {
            error = rename_locked(from, old_name, to, new_name);
            vnode_put(to);
        }
        path_unlock_parent(from);
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

SYSCALL(82, sys_rename);
SYSCALL(83, sys_mkdir);
SYSCALL(84, sys_rmdir);
SYSCALL(86, sys_link);
SYSCALL(87, sys_unlink);
SYSCALL(88, sys_symlink);
SYSCALL(258, sys_mkdirat);
SYSCALL(263, sys_unlinkat);
SYSCALL(264, sys_renameat);
SYSCALL(265, sys_linkat);
SYSCALL(266, sys_symlinkat);
SYSCALL(316, sys_renameat2);
