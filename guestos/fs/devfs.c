/* /dev: one node for each device file that some driver registered. */
#include "errno.h"
#include "init.h"
#include "printk.h"
#include "string.h"
#include "vfs.h"

#define DEVICES_MAX 32

extern const struct devfile __start_devfiles[], __stop_devfiles[];

static struct mount dev_mount;
static struct vnode
    *nodes[DEVICES_MAX]; /* of the device file with the same index; made when first looked up */

static int devfs_lookup(struct vnode *dir, const char *name, struct vnode **out)
{
    for (unsigned i = 0; &__start_devfiles[i] < __stop_devfiles && i < DEVICES_MAX; i++) {
        const struct devfile *device = &__start_devfiles[i];
        if (strcmp(device->name, name) != 0)
            continue;
        if (!nodes[i])
            nodes[i] = vnode_create(device->ops, device->mode, dir->mount);
        if (!nodes[i])
            return -ENOMEM;
        nodes[i]->ino = i + 2;
        nodes[i]->rdev = device->major << 8 | device->minor;
        *out = vnode_get(nodes[i]);
        return 0;
    }
    return -ENOENT;
}

static int devfs_readdir(struct vnode *dir, uint64_t from, dir_emit *emit, void *arg)
{
    (void)dir;
    for (uint64_t i = from; &__start_devfiles[i] < __stop_devfiles && i < DEVICES_MAX; i++)
        if (!emit(arg, __start_devfiles[i].name, i + 2, __start_devfiles[i].mode, i + 1))
            break;
    return 0;
}

static void devfs_init(void)
{
    static const struct vnode_ops ops = {.lookup = devfs_lookup, .readdir = devfs_readdir};
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
}

INIT(INIT_FS, devfs_init);
