/*
 * Disks by virtio (virtio 1.2 §5.2): /dev/vda, /dev/vdb, ... in the order of the command line. As many
 * requests are with the device at once as its ring has room for; the others wait in a list.
 */
#include "block.h"
#include "clock.h"
#include "cpu.h"
#include "errno.h"
#include "heap.h"
#include "printk.h"
#include "spinlock.h"
#include "string.h"
#include "virtqueue.h"

#define DEVICE_ID  2
#define F_SIZE_MAX (1ul << 1)
#define F_RO       (1ul << 5)
#define F_FLUSH    (1ul << 9)

/* Configuration (§5.2.4). */
#define CONFIG_CAPACITY 0 /* 8 bytes, in sectors */
#define CONFIG_SIZE_MAX 8

/* Types of requests, and how they end (§5.2.6). */
#define TYPE_IN     0
#define TYPE_OUT    1
#define TYPE_FLUSH  4
#define TYPE_GET_ID 8
#define STATUS_OK   0

#define ID_SIZE    20
#define BYTES_MAX  (1u << 20) /* of one request, if the device has no opinion */
#define ANSWER_NS  (10 * NS_PER_SECOND)
#define DISKS_MAX  26
#define DIRECT_LEN 3 /* descriptors of a request that is not indirect: header, data, status */
#define DONE_SHARE 4 /* one in so many requests with the device must be done to be worth an interrupt */

/* What the device needs besides the data, for one request. */
struct slot {
    struct {
        uint32_t type, reserved;
        uint64_t sector;
    } header;
    uint8_t status;
    struct block_request *request;
    struct slot *next; /* idle, too */
};

struct disk {
    struct block_device block;
    struct virtqueue *queue;
    struct disk *next;
    struct spinlock lock; /* guards all below, the queue, and the links of its requests */
    struct slot *idle;
    struct list waiting;   /* requests for which there is no room */
    struct list in_flight; /* requests that the device has */
};

static struct disk *disks; /* only grows, while the machine starts */

/* Give the device a request, with a slot for it. Returns virtqueue_add's result. */
static int give(struct disk *disk, struct slot *slot, uint32_t type, uint64_t sector, void *data,
                uint32_t bytes)
{
    bool to_device = type == TYPE_OUT;
    struct virtqueue_buffer buffers[3] = {{&slot->header, sizeof(slot->header)}};
    unsigned count = 1;

    slot->header.type = type;
    slot->header.sector = sector;
    if (bytes)
        buffers[count++] = (struct virtqueue_buffer){data, bytes};
    buffers[count++] = (struct virtqueue_buffer){&slot->status, sizeof(slot->status)};
    unsigned out = bytes && to_device ? 2 : 1;
    return virtqueue_add(disk->queue, buffers, out, count - out, slot);
}

static int give_request(struct disk *disk, struct slot *slot)
{
    static const uint32_t types[] = {
        [BLOCK_READ] = TYPE_IN, [BLOCK_WRITE] = TYPE_OUT, [BLOCK_FLUSH] = TYPE_FLUSH};
    const struct block_request *request = slot->request;
    bool flush = request->op == BLOCK_FLUSH; /* of the whole disk: no sector, no data */

    return give(disk, slot, types[request->op], flush ? 0 : request->sector, request->data,
                flush ? 0 : request->bytes);
}

/* Give the device what waits, as far as there is room. */
static void give_waiting(struct disk *disk)
{
    while (!list_empty(&disk->waiting) && disk->idle) {
        struct slot *slot = disk->idle;
        slot->request = list_entry(disk->waiting.next, struct block_request, link);
        if (give_request(disk, slot) != 0)
            return;
        disk->idle = slot->next;
        list_del(&slot->request->link);
        list_add_before(&disk->in_flight, &slot->request->link);
    }
}

/* Tell who submitted it; never with our lock held, because the answer may be the next request. */
static void finish(struct block_request *request, int error)
{
    request->error = error;
    request->done(request);
}

static int result(const struct slot *slot, uint32_t written)
{
    /* The status lies behind the data: unless the device wrote both to the end, it is not there. */
    uint32_t expected = (slot->request->op == BLOCK_READ ? slot->request->bytes : 0) + sizeof(slot->status);

    return written == expected && slot->status == STATUS_OK ? 0 : -EIO;
}

/* Take back what the device has done, into `ended`; what waits takes its place. */
static void collect(struct disk *disk, struct list *ended)
{
    struct slot *slot;
    uint32_t written;

    spin_lock(&disk->lock);
    virtqueue_quiet(disk->queue);
    while ((slot = virtqueue_take(disk->queue, &written))) {
        slot->request->error = result(slot, written);
        list_del(&slot->request->link);
        list_add_before(ended, &slot->request->link);
        slot->next = disk->idle;
        disk->idle = slot;
        give_waiting(disk);
    }
    virtqueue_kick(disk->queue);
    spin_unlock(&disk->lock);
}

/* Want an interrupt, unless somebody looks before it is missed. Returns true if so much is done already. */
static bool listen(struct disk *disk)
{
    if (before_choice && !some_cpu_rests())
        return false;
    spin_lock(&disk->lock);
    bool done = virtqueue_listen(disk->queue, MAX(disk->queue->in_flight / DONE_SHARE, 1));
    spin_unlock(&disk->lock);
    return done;
}

static void look_at(struct disk *disk)
{
    struct list ended = LIST_INIT(ended);

    do {
        collect(disk, &ended);
        while (!list_empty(&ended)) {
            struct block_request *request = list_entry(ended.next, struct block_request, link);
            list_del(&request->link);
            request->done(request);
        }
    } while (listen(disk));
}

static void requests_done(struct virtqueue *queue)
{
    look_at(queue->device->data);
}

void virtio_blk_look(void)
{
    for (struct disk *disk = disks; disk; disk = disk->next) {
        if (disk->queue->in_flight)
            look_at(disk);
        virtio_tell_failure(disk->queue->device);
    }
}

/* Returns false if the device was given up meanwhile: failed() has been here, and does not look again. */
static bool take_on(struct disk *disk, struct block_request *request)
{
    spin_lock(&disk->lock);
    bool works = !disk->queue->device->failure;
    if (works) {
        list_add_before(&disk->waiting, &request->link);
        give_waiting(disk);
        if (!request->more)
            virtqueue_kick(disk->queue);
    }
    spin_unlock(&disk->lock);
    return works;
}

static void submit(struct block_device *block, struct block_request *request)
{
    struct disk *disk = block->driver;
    struct virtio_device *device = disk->queue->device;
    int refused = device->failure ? -EIO : request->op == BLOCK_WRITE && disk->block.read_only ? -EROFS : 0;

    if (refused || (request->op == BLOCK_FLUSH && !block->has_flush)) {
        finish(request, refused); /* without the feature, what was written is durable already (§5.2.6.2) */
        return;
    }
    if (!take_on(disk, request))
        finish(request, -EIO);
    virtio_tell_failure(device);
}

static struct block_request *take_any(struct disk *disk)
{
    struct block_request *request = NULL;

    spin_lock(&disk->lock);
    struct list *from = list_empty(&disk->in_flight) ? &disk->waiting : &disk->in_flight;
    if (!list_empty(from)) {
        request = list_entry(from->next, struct block_request, link);
        list_del(&request->link);
    }
    spin_unlock(&disk->lock);
    return request;
}

/* Nothing comes back from the device any more. */
static void failed(struct virtio_device *device)
{
    struct disk *disk = device->data;
    struct block_request *request;

    while (disk && (request = take_any(disk)))
        finish(request, -EIO);
}

/* Ask for the serial number, and wait for the answer: nobody else uses the device yet. */
static int read_serial(struct disk *disk)
{
    char *serial = kmalloc(ID_SIZE); /* in the direct map */
    uint64_t start = clock_ns();
    struct slot *slot = disk->idle;
    uint32_t written;

    if (!serial)
        return -ENOMEM;
    if (give(disk, slot, TYPE_GET_ID, 0, serial, ID_SIZE) != 0)
        return -EIO;
    virtqueue_kick(disk->queue);
    while (!virtqueue_take(disk->queue, &written)) {
        if (disk->queue->device->failure || clock_ns() - start > ANSWER_NS)
            return -EIO;
        cpu_relax();
    }
    if (slot->status == STATUS_OK && written == ID_SIZE + sizeof(slot->status))
        memcpy(disk->block.serial, serial, ID_SIZE); /* a zero follows: the array is longer */
    kfree(serial);
    return 0;
}

static int make_slots(struct disk *disk)
{
    for (unsigned i = 0; i < disk->block.in_flight; i++) {
        struct slot *slot = kmalloc(sizeof(*slot));
        if (!slot)
            return -ENOMEM;
        slot->next = disk->idle;
        disk->idle = slot;
    }
    return 0;
}

static void read_config(struct disk *disk, struct virtio_device *device)
{
    uint64_t capacity = 0;
    uint32_t size_max = BYTES_MAX;

    virtio_config_read(device, CONFIG_CAPACITY, 4, 2, &capacity);
    if (virtio_has(device, F_SIZE_MAX))
        virtio_config_read(device, CONFIG_SIZE_MAX, 4, 1, &size_max);
    disk->block.sectors = MIN(capacity, UINT64_MAX / SECTOR_SIZE);
    disk->block.bytes_max = ROUND_DOWN(MIN(size_max, BYTES_MAX), SECTOR_SIZE);
    disk->block.read_only = virtio_has(device, F_RO);
    disk->block.has_flush = virtio_has(device, F_FLUSH);
}

static int begin(struct disk *disk, struct virtio_device *device)
{
    list_init(&disk->waiting);
    list_init(&disk->in_flight);
    read_config(disk, device);
    if (disk->block.bytes_max == 0)
        return -EINVAL; /* not even a sector */
    disk->queue = virtqueue_create(device, 0, requests_done);
    if (!disk->queue)
        return -ENOMEM;
    disk->block.in_flight = disk->queue->tables ? disk->queue->size : disk->queue->size / DIRECT_LEN;
    if (disk->block.in_flight == 0)
        return -EINVAL;
    int error = make_slots(disk);
    if (error)
        return error;
    device->data = disk;
    virtio_ready(device);
    error = read_serial(disk);
    virtqueue_listen(disk->queue, 1);
    return error;
}

static int probe(struct virtio_device *device)
{
    static unsigned count;
    struct disk *disk = count < DISKS_MAX ? kmalloc(sizeof(*disk)) : NULL;

    if (!disk)
        return -ENOMEM;
    disk->block.submit = submit;
    disk->block.driver = disk;
    int error = begin(disk, device);
    if (error)
        return error;
    disk->next = disks;
    disks = disk;
    format(disk->block.name, sizeof(disk->block.name), "vd%c", 'a' + count++);
    return block_register(&disk->block);
}

VIRTIO_DRIVER(blk, .name = "virtio-blk", .id = DEVICE_ID, .features = F_SIZE_MAX | F_RO | F_FLUSH,
              .probe = probe, .failed = failed);
