/* Disks: the list of them, their files in /dev, and the thread that writes back every few seconds. */
#include "block_cache.h"
#include "clock.h"
#include "errno.h"
#include "heap.h"
#include "init.h"
#include "printk.h"
#include "user.h"
#include "vfs.h"

#define WRITE_BACK_SECONDS 5
#define DISK_MAJOR         254 /* as Linux's virtio disks usually have */
#define MINORS             16  /* from one disk to the next; the rest would be partitions */

/* <linux/fs.h> */
#define BLKROGET     0x125e
#define BLKGETSIZE   0x1260
#define BLKFLSBUF    0x1261
#define BLKSSZGET    0x1268
#define BLKGETSIZE64 0x80081272

static struct block_device *devices; /* only grows, while the machine starts */
static struct wait_queue never = WAIT_QUEUE_INIT(never);

/* What a disk's node has as data. */
struct disk {
    struct block_device *device;
    struct read_ahead ahead;
    uint32_t errors_told; /* of device->write_errors */
};

static uint64_t bytes_of(const struct block_device *device)
{
    return device->sectors * SECTOR_SIZE;
}

static ssize_t disk_read(struct vnode *node, void *to, size_t n, uint64_t offset)
{
    struct disk *disk = node->data;

    if (offset >= node->size)
        return 0;
    n = MIN(n, node->size - offset);
    uint64_t more = read_ahead_plan(&disk->ahead, offset, n);
    if (more)
        cache_read_ahead(disk->device, disk->ahead.done - more, more);
    int error = cache_read(disk->device, offset, to, n);
    return error ? error : (ssize_t)n;
}

static ssize_t disk_write(struct vnode *node, const void *from, size_t n, uint64_t offset)
{
    struct disk *disk = node->data;

    if (disk->device->read_only)
        return -EPERM;
    if (disk->device->owner)
        return -EBUSY; /* a file system is mounted from it, and does not expect this */
    if (offset >= node->size)
        return n ? -ENOSPC : 0;
    n = MIN(n, node->size - offset);
    int error = cache_write(disk->device, offset, from, n, CACHE_EARLY);
    return error ? error : (ssize_t)n;
}

static int disk_sync(struct vnode *node)
{
    struct disk *disk = node->data;
    int error = block_sync(disk->device);

    if (disk->errors_told != disk->device->write_errors)
        error = -EIO; /* also if what failed has been written since: told once, lest it be lost */
    disk->errors_told = disk->device->write_errors;
    return error;
}

static int give(uint64_t to, uint64_t value, size_t size)
{
    return copy_to_user(to, &value, size);
}

static int disk_ioctl(struct file *file, uint32_t request, uint64_t arg)
{
    struct block_device *device = block_device_of(file->vnode);
    int error;

    switch (request) {
    case BLKGETSIZE64:
        return give(arg, bytes_of(device), sizeof(uint64_t));
    case BLKGETSIZE:
        return give(arg, device->sectors, sizeof(uint64_t));
    case BLKSSZGET:
        return give(arg, SECTOR_SIZE, sizeof(uint32_t));
    case BLKROGET:
        return give(arg, device->read_only, sizeof(uint32_t));
    case BLKFLSBUF:
        error = block_sync(device);
        cache_drop(device);
        return error;
    default:
        return -ENOTTY;
    }
}

static const struct vnode_ops disk_ops = {
    .read = disk_read, .write = disk_write, .sync = disk_sync, .ioctl = disk_ioctl};

struct block_device *block_device_of(const struct vnode *node)
{
    return node->ops == &disk_ops ? ((struct disk *)node->data)->device : NULL;
}

static int add_node(struct block_device *device, unsigned index)
{
    struct vnode *node = vnode_create(&disk_ops, S_IFBLK | (device->read_only ? 0444 : 0660), NULL);
    struct disk *disk = kmalloc(sizeof(*disk));
    int error = node && disk ? devfs_add(device->name, node) : -ENOMEM;

    if (error) {
        kfree(node);
        kfree(disk);
        return error;
    }
    disk->device = device;
    node->data = disk;
    node->size = bytes_of(device);
    node->rdev = DISK_MAJOR << 8 | (index * MINORS);
    return 0;
}

int block_register(struct block_device *device)
{
    struct block_device **end = &devices;
    unsigned index = 0;

    if (cache_init() != 0)
        return -ENOMEM;
    for (; *end; end = &(*end)->next)
        index++;
    int error = add_node(device, index);
    if (error)
        return error;
    mutex_init(&device->lock);
    *end = device;
    printk("%s: %lu MiB%s\r\n", device->name, bytes_of(device) >> 20, device->read_only ? ", read-only" : "");
    return 0;
}

int block_own(struct block_device *device, const struct block_owner *owner)
{
    mutex_lock(&device->lock);
    int error = owner && device->owner ? -EBUSY : 0;
    if (error == 0)
        device->owner = owner;
    mutex_unlock(&device->lock);
    return error;
}

int block_sync(struct block_device *device)
{
    mutex_lock(&device->lock);
    int error = device->owner ? device->owner->sync(device->owner->arg) : cache_write_out(device, CACHE_LATE);
    mutex_unlock(&device->lock);
    return error;
}

/* What was written and not synced is on the disk soon all the same. And memory that was lent comes home. */
static void write_back(void *unused)
{
    (void)unused;
    for (;;) {
        wait_until(&never, false, clock_ns() + WRITE_BACK_SECONDS * NS_PER_SECOND, false);
        for (struct block_device *device = devices; device; device = device->next)
            block_sync(device);
        cache_take_back();
    }
}

static void write_back_start(void)
{
    struct thread *thread = devices ? thread_create("write-back", write_back, NULL) : NULL;

    if (thread)
        thread_start(thread);
    else if (devices)
        panic("no memory for the thread that writes to the disks");
}

INIT(INIT_START, write_back_start);
