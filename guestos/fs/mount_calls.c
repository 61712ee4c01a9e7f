/* System calls that mount and unmount file systems, and what /proc tells about these. */
#include "errno.h"
#include "filesystem.h"
#include "heap.h"
#include "printk.h"
#include "procfs.h"
#include "string.h"
#include "syscall.h"
#include "user.h"
#include "user_path.h"

/* <sys/mount.h> */
#define MS_RDONLY  1
#define MS_IGNORED (2 | 4 | 8 | 16 | 128 | 1024 | 2048 | (1 << 21) | (1 << 24)) /* nosuid to strictatime */
#define MS_MAGIC   0xc0ed0000 /* old programs set this in the upper half */

#define TYPE_MAX 16

extern const struct filesystem __start_filesystems[], __stop_filesystems[];

static const struct filesystem *find_type(const char *name)
{
    for (const struct filesystem *fs = __start_filesystems; fs < __stop_filesystems; fs++)
        if (strcmp(fs->name, name) == 0)
            return fs;
    return NULL;
}

/* The disk that the path names. */
static int find_device(uint64_t user_path, struct block_device **out)
{
    struct vnode *node;
    int error = user_path_lookup(AT_FDCWD, user_path, true, &node);

    if (error)
        return error;
    *out = block_device_of(node);
    vnode_put(node); /* disks stay for ever */
    return *out ? 0 : -ENOTBLK;
}

/* Mount the disk at the directory. */
static int mount_at(const struct filesystem *type, struct block_device *device, bool read_only,
                    struct vnode *directory)
{
    char path[sizeof(((struct mount *)0)->path)];
    struct mount *mount;

    if (!S_ISDIR(directory->mode))
        return -ENOTDIR;
    if (device->read_only && !read_only)
        return -EACCES;
    ssize_t length = path_of(directory, path, sizeof(path));
    if (length < 0)
        return length;
    int error = type->mount(device, read_only, &mount);
    if (error)
        return error;
    format(mount->source, sizeof(mount->source), "/dev/%s", device->name);
    strcopy(mount->type, type->name, sizeof(mount->type));
    error = mount_add(mount, directory, path);
    if (error)
        mount->unmount(mount);
    return error;
}

static ssize_t sys_mount(uint64_t source, uint64_t target, uint64_t user_type, uint64_t flags)
{
    struct block_device *device;
    struct vnode *directory;
    char name[TYPE_MAX];
    ssize_t length = string_from_user(name, user_type, sizeof(name));
    const struct filesystem *type = length < 0 ? NULL : find_type(name);

    if ((flags & 0xffff0000) == MS_MAGIC)
        flags &= 0xffff;
    if (flags & ~(uint64_t)(MS_RDONLY | MS_IGNORED))
        return -EINVAL;
    if (!type)
        return length == -EFAULT ? length : -ENODEV;
    int error = find_device(source, &device);
    if (error == 0)
        error = user_path_lookup(AT_FDCWD, target, true, &directory);
    if (error)
        return error;
    error = mount_at(type, device, flags & MS_RDONLY, directory);
    vnode_put(directory);
    return error;
}

static ssize_t sys_umount2(uint64_t target, uint32_t flags)
{
    struct vnode *node;

    if (flags & ~15u)
        return -EINVAL;
    int error = user_path_lookup(AT_FDCWD, target, true, &node);
    if (error)
        return error;
    struct mount *mount = node->mount && node->mount->root == node ? node->mount : NULL;
    vnode_put(node);
    return mount ? mount_remove(mount) : -EINVAL;
}

static int show_mounts(struct process *process, char *to, size_t size)
{
    size_t n = 0;

    (void)process;
    mutex_lock(&tree_lock);
    for (const struct mount *m = mounts; m && n < size; m = m->next)
        n += format(to + n, size - n, "%s %s %s %s 0 0\n", m->source, m->path, m->type,
                    m->read_only ? "ro" : "rw");
    mutex_unlock(&tree_lock);
    return n;
}

static int show_filesystems(struct process *process, char *to, size_t size)
{
    size_t n = 0;

    (void)process;
    for (const struct filesystem *fs = __start_filesystems; fs < __stop_filesystems && n < size; fs++)
        n += format(to + n, size - n, "\t%s\n", fs->name);
    return n;
}

SYSCALL(165, sys_mount);
SYSCALL(166, sys_umount2);
PROCFILE(mounts, "mounts", false, show_mounts);
PROCFILE(filesystems, "filesystems", false, show_filesystems);
