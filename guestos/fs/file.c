/* Open files, and the table of file descriptors. */
#include "errno.h"
#include "heap.h"
#include "process.h"
#include "string.h"
#include "vfs.h"

int file_create(struct vnode *node, uint32_t flags, struct file **out)
{
    struct file *file = kmalloc(sizeof(*file));
    int error = file ? 0 : -ENOMEM;

    if (error == 0) {
        file->refs = 1;
        file->flags = flags;
        file->vnode = node;
        mutex_init(&file->lock);
        if (node->ops->open)
            error = node->ops->open(file);
    }
    if (error) {
        kfree(file);
        vnode_put(node);
        return error;
    }
    *out = file;
    return 0;
}

struct file *file_get(struct file *file)
{
    __atomic_add_fetch(&file->refs, 1, __ATOMIC_RELAXED);
    return file;
}

void file_put(struct file *file)
{
    if (__atomic_sub_fetch(&file->refs, 1, __ATOMIC_ACQ_REL))
        return;
    if (file->vnode->ops->close)
        file->vnode->ops->close(file);
    vnode_put(file->vnode);
    kfree(file);
}

/* Make the file that open() did not find. The tree is locked. */
static int create_locked(struct vnode *start, const char *path, uint32_t mode, struct vnode **out)
{
    char name[NAME_MAX + 1];
    struct vnode *directory;

    int error = path_parent(start, path, &directory, name);
    if (error)
        return error;
    error =
        directory->ops->create ? directory->ops->create(directory, name, S_IFREG | mode, NULL, out) : -EROFS;
    vnode_put(directory);
    return error;
}

static int find_or_create(struct vnode *start, const char *path, uint32_t flags, uint32_t mode,
                          struct vnode **out)
{
    bool exclusive = (flags & O_CREAT) && (flags & O_EXCL);
    int error = path_lookup(start, path, !exclusive && !(flags & O_NOFOLLOW), out);

    if (error == 0 && exclusive) {
        vnode_put(*out);
        return -EEXIST;
    }
    if (error != -ENOENT || !(flags & O_CREAT))
        return error;
    if (path[strlen(path) - (*path != 0)] == '/')
        return -EISDIR;
    mutex_lock(&tree_lock);
    error = create_locked(start, path, mode, out);
    mutex_unlock(&tree_lock);
    /* somebody else may have been faster: then it is there now */
    return error == -EEXIST && !exclusive ? path_lookup(start, path, true, out) : error;
}

static int check_open(const struct vnode *node, uint32_t flags)
{
    bool writes = (flags & O_ACCMODE) != O_RDONLY;

    if (S_ISLNK(node->mode) && !(flags & O_PATH))
        return -ELOOP; /* O_NOFOLLOW met a link */
    if ((flags & O_DIRECTORY) && !S_ISDIR(node->mode))
        return -ENOTDIR;
    if (S_ISDIR(node->mode) && (writes || (flags & O_CREAT)))
        return -EISDIR;
    if ((flags & O_ACCMODE) == O_ACCMODE)
        return -EINVAL;
    if (S_ISREG(node->mode) && writes && node->mount && node->mount->read_only)
        return -EROFS;
    return 0;
}

static int truncate_on_open(struct vnode *node, uint32_t flags)
{
    if (!(flags & O_TRUNC) || (flags & O_ACCMODE) == O_RDONLY || !S_ISREG(node->mode))
        return 0;
    if (!node->ops->truncate)
        return -EROFS;
    mutex_lock(&node->lock);
    int error = node->ops->truncate(node, 0);
    mutex_unlock(&node->lock);
    return error;
}

int file_open(struct vnode *start, const char *path, uint32_t flags, uint32_t mode, struct file **out)
{
    struct vnode *node;
    int error = find_or_create(start, path, flags, mode, &node);

    if (error)
        return error;
    error = check_open(node, flags);
    if (error == 0)
        error = truncate_on_open(node, flags);
    if (error) {
        vnode_put(node);
        return error;
    }
    return file_create(node, flags & ~(O_CREAT | O_EXCL | O_TRUNC | O_CLOEXEC), out);
}

struct file *fd_file(int fd)
{
    struct open_files *files = current_process()->files;

    return fd >= 0 && fd < FILES_MAX && files->file[fd] ? file_get(files->file[fd]) : NULL;
}

int fd_install(struct file *file, int lowest, bool close_on_exec)
{
    struct open_files *files = current_process()->files;

    for (int fd = lowest; fd < FILES_MAX; fd++) {
        if (files->file[fd])
            continue;
        files->file[fd] = file;
        files->close_on_exec[fd] = close_on_exec;
        return fd;
    }
    file_put(file);
    return -EMFILE;
}

int fd_close(int fd)
{
    struct open_files *files = current_process()->files;

    if (fd < 0 || fd >= FILES_MAX || !files->file[fd])
        return -EBADF;
    struct file *file = files->file[fd];
    files->file[fd] = NULL;
    file_put(file);
    return 0;
}

struct open_files *files_fork(struct open_files *files)
{
    struct open_files *copy = kmalloc(sizeof(*copy));

    if (!copy)
        return NULL;
    *copy = *files;
    for (int fd = 0; fd < FILES_MAX; fd++)
        if (copy->file[fd])
            file_get(copy->file[fd]);
    return copy;
}

void files_close(struct open_files *files)
{
    for (int fd = 0; fd < FILES_MAX; fd++)
        if (files->file[fd])
            file_put(files->file[fd]);
    kfree(files);
}

void files_close_on_exec(struct open_files *files)
{
    for (int fd = 0; fd < FILES_MAX; fd++)
        if (files->file[fd] && files->close_on_exec[fd])
            fd_close(fd);
}
