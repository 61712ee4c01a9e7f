/* /dev: one node for each device file of the table, and for each device that a driver found. */
#include "errno.h"
#include "init.h"
#include "printk.h"
#include "string.h"
#include "vfs.h"

#define DEVICES_MAX 64

extern const struct devfile __start_devfiles[], __stop_devfiles[];

static struct mount dev_mount;
static struct device {
    const char *name;
    struct vnode *node;
} devices[DEVICES_MAX];
static unsigned device_count;

int devfs_add(const char *name, struct vnode *node)
{
    if (device_count == DEVICES_MAX)
        return -ENOSPC;
    node->mount = &dev_mount;
    node->ino = device_count + 2;
    devices[device_count++] = (struct device){name, node};
    return 0;
}

static int devfs_lookup(struct vnode *dir, const char *name, struct vnode **out)
{
    (void)dir;
    for (unsigned i = 0; i < device_count; i++) {
        if (strcmp(devices[i].name, name) != 0)
            continue;
        *out = vnode_get(devices[i].node);
        return 0;
    }
    return -ENOENT;
}

static int devfs_readdir(struct vnode *dir, uint64_t from, dir_emit *emit, void *arg)
{
    (void)dir;
    for (uint64_t i = from; i < device_count; i++)
        if (!emit(arg, devices[i].name, devices[i].node->ino, devices[i].node->mode, i + 1))
            break;
    return 0;
}

/* Of the directory: of all devices. */
static int devfs_sync(struct vnode *dir)
{
    int error = 0;

    (void)dir;
    for (unsigned i = 0; i < device_count; i++) {
        struct vnode *node = devices[i].node;
        int failed = node->ops->sync ? node->ops->sync(node) : 0;
        error = failed ? failed : error;
    }
    return error;
}

static void add_file(const struct devfile *file)
{
    struct vnode *node = vnode_create(file->ops, file->mode, &dev_mount);

    if (!node || devfs_add(file->name, node) != 0)
        panic("no room for /dev/%s", file->name);
    node->rdev = file->major << 8 | file->minor;
}

static void devfs_init(void)
{
    static const struct vnode_ops ops = {
        .lookup = devfs_lookup, .readdir = devfs_readdir, .sync = devfs_sync};
    struct vnode *root = root_directory(), *dev;

    mutex_lock(&tree_lock);
    int error = path_step(root, "dev", &dev);
    if (error)
        error = root->ops->create(root, "dev", S_IFDIR | 0755, NULL, &dev);
    mutex_unlock(&tree_lock);
    dev_mount = (struct mount){.source = "none", .type = "devfs"};
    dev_mount.root = error ? NULL : vnode_create(&ops, S_IFDIR | 0755, &dev_mount);
    if (!dev_mount.root || mount_add(&dev_mount, dev, "/dev") != 0)
        panic("no memory for /dev");
    dev_mount.root->parent = root;
    dev_mount.root->ino = 1;
    for (const struct devfile *file = __start_devfiles; file < __stop_devfiles; file++)
        add_file(file);
}

INIT(INIT_FS, devfs_init);
