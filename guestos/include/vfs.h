/* The virtual file system: nodes (files, directories, devices), names, open files. */
#ifndef VFS_H
#define VFS_H

#include "abi.h"
#include "thread.h"
#include "types.h"

struct vnode;
struct file;

/* Called for each entry of a directory; returns false to stop. `next` is where a later call goes on. */
typedef bool dir_emit(void *arg, const char *name, uint64_t ino, uint32_t mode, uint64_t next);

/*
 * What a kind of node can do. A missing operation is refused with the errno that Linux would give. All return
 * 0 (or a length) or a negative errno. Operations on names are called with the tree locked (tree_lock), read,
 * write and truncate of regular files with node->lock.
 */
struct vnode_ops {
    int (*lookup)(struct vnode *dir, const char *name, struct vnode **out);
    /* A new node of this mode (its type included); `target` is a symbolic link's text. */
    int (*create)(struct vnode *dir, const char *name, uint32_t mode, const char *target, struct vnode **out);
    int (*link)(struct vnode *dir, const char *name, struct vnode *node);
    int (*unlink)(struct vnode *dir, const char *name, struct vnode *node); /* an empty directory, too */
    int (*rename)(struct vnode *from, const char *old_name, struct vnode *to, const char *new_name);
    int (*readdir)(struct vnode *dir, uint64_t from, dir_emit *emit, void *arg);
    ssize_t (*readlink)(struct vnode *node, char *to, size_t size);
    ssize_t (*read)(struct vnode *node, void *to, size_t n, uint64_t offset);
    ssize_t (*write)(struct vnode *node, const void *from, size_t n, uint64_t offset);
    int (*truncate)(struct vnode *node, uint64_t size);
    int (*set_attributes)(struct vnode *node); /* mode, owner or times were changed: keep them */
    int (*sync)(struct vnode *node);
    void (*release)(struct vnode *node); /* nobody refers to it any more */
    /* Streams (pipes, devices) have these instead of read and write; they know about O_NONBLOCK. */
    int (*open)(struct file *file);
    void (*close)(struct file *file);
    ssize_t (*stream_read)(struct file *file, void *to, size_t n);
    ssize_t (*stream_write)(struct file *file, const void *from, size_t n);
    int (*poll)(struct file *file); /* POLL bits that hold now */
    int (*ioctl)(struct file *file, uint32_t request, uint64_t arg);
};

struct filesystem_info {
    uint64_t type, block_size, blocks, free_blocks;
};

/* A mounted file system. */
struct mount {
    struct mount *next;
    struct vnode *root;
    struct vnode *covered; /* the directory that it is mounted on; NULL: it is the root of all */
    char source[32], type[16];
    char path[128]; /* as given to mount, for people */
    bool read_only, ignores_case;
    void (*info)(struct mount *mount, struct filesystem_info *out);
    /* The file system's part of umount, with the tree locked: -EBUSY while nodes are in use. NULL: stays for
     * ever. */
    int (*unmount)(struct mount *mount);
    uint64_t device; /* st_dev */
    void *data;
};

struct vnode {
    uint32_t refs;
    uint32_t mode, uid, gid, nlink;
    uint64_t ino, size, rdev;
    int64_t atime, mtime, ctime; /* ns since 1970 */
    const struct vnode_ops *ops;
    struct mount *mount;  /* NULL for pipes */
    struct vnode *parent; /* of a directory; the tree's lock guards it */
    struct mount *mounted_here;
    struct mutex lock; /* contents of a regular file */
    void *data;
};

struct file {
    uint32_t refs;
    uint32_t flags; /* O_ */
    struct vnode *vnode;
    uint64_t position; /* guarded by lock; for directories what readdir takes as `from` */
    struct mutex lock;
    void *data;
};

extern struct mutex tree_lock; /* names, and which node is below which */
extern struct mount *mounts;   /* the first is the root */

/* A new node with one reference. NULL: no memory. */
struct vnode *vnode_create(const struct vnode_ops *ops, uint32_t mode, struct mount *mount);
struct vnode *vnode_get(struct vnode *node);
void vnode_put(struct vnode *node);

/* Read a regular file from anywhere in the kernel. Returns the number of bytes, 0 at its end, or -errno. */
ssize_t vnode_read(struct vnode *node, void *to, size_t n, uint64_t offset);

/* Put a file system at a directory (NULL: as the root). Takes over the reference to mount->root. */
int mount_add(struct mount *mount, struct vnode *directory, const char *path);

/* Take it away again. Returns 0 or the errno of its unmount. */
int mount_remove(struct mount *mount);

/*
 * Walk a path from `start` (absolute paths: from the root). Without `follow`, a symbolic link at the end is
 * the result itself. The result has a reference. Returns 0 or -errno.
 */
int path_lookup(struct vnode *start, const char *path, bool follow, struct vnode **out);

/* Walk to the directory that holds, or will hold, the last name; `name` has room for NAME_MAX + 1. Call with
 * the tree locked. */
int path_parent(struct vnode *start, const char *path, struct vnode **directory, char *name);

/* One step down from a directory, with "." and "..", across mounts. Call with the tree locked. */
int path_step(struct vnode *directory, const char *name, struct vnode **out);

/* The absolute path of a directory. Returns its length without the zero, or -errno. */
ssize_t path_of(struct vnode *directory, char *to, size_t size);

struct vnode *root_directory(void);

/* Open, or create with `mode` bits, as open(2). The result has one reference. */
int file_open(struct vnode *start, const char *path, uint32_t flags, uint32_t mode, struct file **out);

/* An open file for a node, taking over the reference to it also on failure. */
int file_create(struct vnode *node, uint32_t flags, struct file **out);
struct file *file_get(struct file *file);
void file_put(struct file *file);

/* Threads in poll() look again when somebody calls poll_changed(). */
extern struct wait_queue poll_queue;
void poll_changed(void);

/* A device file: it appears in /dev by itself. */
struct devfile {
    const char *name;
    uint32_t mode, major, minor;
    const struct vnode_ops *ops;
};

/* The same for a device that is found while the machine runs: takes over the reference to its node, which has
 * a mode and an rdev. Call at INIT_DRIVERS. Returns 0, or -ENOSPC if there are too many. */
int devfs_add(const char *name, struct vnode *node);

#define DEVFILE(id, ...)                                                                                     \
    static const struct devfile devfile_##id                                                                 \
        __attribute__((used, section("devfiles"), aligned(8))) = {__VA_ARGS__}

#endif
