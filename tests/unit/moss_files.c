/* Moss's files by path, as the system calls would do it, for tests on the host. */
#include "tests/unit/moss_disk.h"

extern const struct filesystem __start_filesystems[];

int disk_mount(struct disk *disk, bool read_only)
{
    struct mount *mount;
    int error = __start_filesystems->mount(&disk->device, read_only, &mount);

    return error ? error : mount_add(mount, NULL, "/");
}

int disk_unmount(void)
{
    int error = mounts->unmount(mounts);

    if (error == 0)
        mounts = NULL;
    return error;
}

int fs_open(const char *path, struct vnode **out)
{
    return path_lookup(root_directory(), path, true, out);
}

/* Do work(directory, last name) with the tree locked. */
static int with_parent(const char *path, int (*work)(struct vnode *dir, const char *name, void *arg),
                       void *arg)
{
    char name[NAME_MAX + 1];
    struct vnode *dir;

    mutex_lock(&tree_lock);
    int error = path_parent(root_directory(), path, &dir, name);
    if (error == 0) {
        error = work(dir, name, arg);
        vnode_put(dir);
    }
    mutex_unlock(&tree_lock);
    return error;
}

struct creation {
    uint32_t mode;
    struct vnode **out;
};

static int create(struct vnode *dir, const char *name, void *arg)
{
    struct creation *creation = arg;

    return dir->ops->create(dir, name, creation->mode, NULL, creation->out);
}

int fs_create(const char *path, uint32_t mode, struct vnode **out)
{
    struct creation creation = {mode, out};

    return with_parent(path, create, &creation);
}

int fs_mkdir(const char *path)
{
    struct vnode *node;
    int error = fs_create(path, S_IFDIR | 0755, &node);

    if (error == 0)
        vnode_put(node);
    return error;
}

static int remove_name(struct vnode *dir, const char *name, void *arg)
{
    struct vnode *node;
    int error = path_step(dir, name, &node);

    (void)arg;
    if (error)
        return error;
    error = dir->ops->unlink(dir, name, node);
    vnode_put(node);
    return error;
}

int fs_unlink(const char *path)
{
    return with_parent(path, remove_name, NULL);
}

struct renaming {
    struct vnode *from;
    const char *old_name;
};

static int rename_to(struct vnode *dir, const char *name, void *arg)
{
    struct renaming *renaming = arg;

    return dir->ops->rename(renaming->from, renaming->old_name, dir, name);
}

int fs_rename(const char *from, const char *to)
{
    char name[NAME_MAX + 1];
    struct renaming renaming = {.old_name = name};

    mutex_lock(&tree_lock);
    int error = path_parent(root_directory(), from, &renaming.from, name);
    mutex_unlock(&tree_lock);
    if (error)
        return error;
    error = with_parent(to, rename_to, &renaming);
    vnode_put(renaming.from);
    return error;
}

int fs_sync(const char *path)
{
    struct vnode *node;
    int error = fs_open(path, &node);

    if (error)
        return error;
    error = node->ops->sync(node);
    vnode_put(node);
    return error;
}

ssize_t fs_write(struct vnode *node, const void *from, size_t n, uint64_t offset)
{
    mutex_lock(&node->lock);
    ssize_t done = node->ops->write(node, from, n, offset);
    mutex_unlock(&node->lock);
    return done;
}

ssize_t fs_read(struct vnode *node, void *to, size_t n, uint64_t offset)
{
    return vnode_read(node, to, n, offset);
}

int fs_truncate(struct vnode *node, uint64_t size)
{
    mutex_lock(&node->lock);
    int error = node->ops->truncate(node, size);
    mutex_unlock(&node->lock);
    return error;
}

int fs_put(const char *path, const void *data, size_t n)
{
    struct vnode *node;
    int error = fs_open(path, &node);

    if (error == -ENOENT)
        error = fs_create(path, S_IFREG | 0644, &node);
    if (error)
        return error;
    error = fs_truncate(node, 0);
    ssize_t done = error ? error : n ? fs_write(node, data, n, 0) : 0;
    vnode_put(node);
    return done < 0 ? (int)done : (size_t)done == n ? 0 : -ENOSPC;
}

ssize_t fs_get(const char *path, void *to, size_t room)
{
    struct vnode *node;
    int error = fs_open(path, &node);

    if (error)
        return error;
    ssize_t n = fs_read(node, to, room, 0);
    vnode_put(node);
    return n;
}

struct names {
    char *to;
    size_t room, used;
    int count;
};

static bool take_name(void *arg, const char *name, uint64_t ino, uint32_t mode, uint64_t next)
{
    struct names *names = arg;

    (void)ino;
    (void)mode;
    (void)next;
    names->count++;
    if (names->to)
        names->used += (size_t)snprintf(names->to + names->used, names->room - names->used, "%s\n", name);
    return true;
}

int fs_list(const char *path, char *to, size_t room)
{
    struct names names = {to, room, 0, 0};
    struct vnode *node;
    int error = fs_open(path, &node);

    if (error)
        return error;
    if (to)
        *to = 0;
    error = node->ops->readdir(node, 0, take_name, &names);
    vnode_put(node);
    return error ? error : names.count;
}

uint64_t fs_free_bytes(void)
{
    struct filesystem_info info;

    mounts->info(mounts, &info);
    return info.free_blocks * info.block_size;
}
