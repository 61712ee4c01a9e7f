/* Disks by virtio (virtio 1.2 §5.2): each --disk FILE is one, and its requests are reads and writes of the
 * file. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "blk.h"

#define SECTOR       512u
#define DISKS_MAX    16
#define ZEROES       (64 * KiB) /* written at once where the file system cannot make zeroes itself */
#define SEGMENTS_MAX 16         /* of a discard */

enum { STATUS_OK, STATUS_IOERR, STATUS_UNSUPP };

/* Feature bits (§5.2.3). */
#define F_SEG_MAX      (1ul << 2)
#define F_RO           (1ul << 5)
#define F_BLK_SIZE     (1ul << 6)
#define F_FLUSH        (1ul << 9)
#define F_DISCARD      (1ul << 13)
#define F_WRITE_ZEROES (1ul << 14)

/* §5.2.4 */
struct blk_config {
    uint64_t capacity; /* sectors */
    uint32_t size_max, seg_max;
    uint8_t geometry[4];
    uint32_t blk_size;
    uint8_t topology[8], writeback, unused;
    uint16_t queues;
    uint32_t max_discard_sectors, max_discard_seg, discard_sector_alignment;
    uint32_t max_write_zeroes_sectors, max_write_zeroes_seg;
    uint8_t write_zeroes_may_unmap, unused1[3];
} __attribute__((packed));

struct blk_header {
    uint32_t type, reserved;
    uint64_t sector;
};

struct discard_segment {
    uint64_t sector;
    uint32_t sectors, flags;
};

#define UNMAP 1u /* a flag: the zeroes may be a hole */

static struct option options[] = {
    {.name = "disk",
     .arg = "FILE",
     .most = DISKS_MAX,
     .help = "a disk with the bytes of FILE; FILE,ro only to read; FILE,serial=ID names it; may be repeated"},
    {0},
};

/* ---- Requests ---- */

void blk_done(struct blk_request *r, int error)
{
    struct disk *disk = r->disk;

    if (r->run == disk->device.run) { /* else the driver has reset the device, and forgotten the request */
        *r->status = error ? STATUS_IOERR : STATUS_OK;
        virtq_push(&disk->device, 0, r->head, r->chain.in_bytes);
    }
    r->next = disk->free;
    disk->free = r;
}

void blk_tell(struct disk *disk)
{
    virtq_tell(&disk->device, 0);
}

/* Give the request back with a status of its own. */
static void refuse(struct blk_request *r, uint8_t status)
{
    uint8_t *at = r->status;

    blk_done(r, 0);
    *at = status; /* the driver has not been told yet */
}

/* Read or write all of it, waiting for the file. Returns 0 or -errno. */
static int transfer(struct blk_request *r)
{
    off_t offset = (off_t)r->offset;

    while (r->iov_count > 0) {
        ssize_t n = r->type == BLK_IN ? preadv(r->disk->fd, r->iov, (int)r->iov_count, offset)
                                      : pwritev(r->disk->fd, r->iov, (int)r->iov_count, offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO; /* nothing: somebody made the file shorter */
        offset += n;
        iov_skip(&r->iov, &r->iov_count, (size_t)n);
    }
    return 0;
}

static void start_and_wait(struct blk_request *r)
{
    blk_done(r, r->type == BLK_FLUSH ? (fdatasync(r->disk->fd) < 0 ? -errno : 0) : transfer(r));
}

static int write_zeroes(struct disk *disk, uint64_t offset, uint64_t bytes)
{
    static const uint8_t zeroes[ZEROES];

    while (bytes > 0) {
        ssize_t n = pwrite(disk->fd, zeroes, bytes < ZEROES ? bytes : ZEROES, (off_t)offset);
        if (n < 0 && errno != EINTR)
            return -errno;
        if (vm_stopping(disk->device.vm)) /* a guest may ask for 2 TiB */
            return -EINTR;
        offset += n > 0 ? (uint64_t)n : 0;
        bytes -= n > 0 ? (uint64_t)n : 0;
    }
    return 0;
}

static bool on_disk(const struct disk *disk, uint64_t sector, uint64_t bytes)
{
    return sector <= disk->size / SECTOR && bytes <= disk->size - sector * SECTOR;
}

/* Discard a range, which then may read as anything, or make it read as zeroes. Returns 0, -EOPNOTSUPP if
 * there are flags that the command does not know (§5.2.6.2), or -errno. */
static int discard(struct disk *disk, uint32_t type, const struct discard_segment *s)
{
    uint64_t offset = s->sector * SECTOR, bytes = (uint64_t)s->sectors * SECTOR;

    if (s->flags & ~(type == BLK_WRITE_ZEROES ? UNMAP : 0))
        return -EOPNOTSUPP;
    if (bytes == 0 || !on_disk(disk, s->sector, bytes))
        return -EINVAL;
    bool keep = type == BLK_WRITE_ZEROES && !(s->flags & UNMAP);
    int mode = (keep ? FALLOC_FL_ZERO_RANGE : FALLOC_FL_PUNCH_HOLE) | FALLOC_FL_KEEP_SIZE;
    if (fallocate(disk->fd, mode, (off_t)offset, (off_t)bytes) == 0)
        return 0;
    return type == BLK_DISCARD ? 0 : write_zeroes(disk, offset, bytes); /* to discard is only a hint */
}

static void discard_all(struct blk_request *r)
{
    struct discard_segment s;
    int err = r->disk->read_only || r->bytes == 0 || r->bytes % sizeof s || r->bytes > SEGMENTS_MAX * sizeof s
                  ? -EINVAL
                  : 0;

    while (err == 0 && iov_take(&r->iov, &r->iov_count, &s, sizeof s) == sizeof s)
        err = discard(r->disk, r->type, &s);
    if (err == -EOPNOTSUPP)
        refuse(r, STATUS_UNSUPP);
    else
        blk_done(r, err);
}

static void transfer_start(struct blk_request *r)
{
    bool refused = r->type == BLK_OUT && r->disk->read_only;

    if (refused || r->bytes % SECTOR || !on_disk(r->disk, r->offset / SECTOR, r->bytes))
        blk_done(r, -EINVAL);
    else
        r->disk->start(r);
}

static void request_start(struct blk_request *r)
{
    switch (r->type) {
    case BLK_IN:
    case BLK_OUT:
        transfer_start(r);
        break;
    case BLK_FLUSH:
        r->disk->start(r);
        break;
    case BLK_GET_ID:
        iov_give(&r->iov, &r->iov_count, r->disk->serial, 20);
        blk_done(r, 0);
        break;
    case BLK_DISCARD:
    case BLK_WRITE_ZEROES:
        discard_all(r);
        break;
    default:
        refuse(r, STATUS_UNSUPP);
    }
}

/* The last byte that we may write is the status; how the rest is cut into buffers is the driver's business
 * (§2.7.4). */
static void take_status(struct blk_request *r)
{
    struct iovec *last = &r->chain.in[r->chain.in_count - 1];

    r->status = (uint8_t *)last->iov_base + --last->iov_len;
    if (last->iov_len == 0)
        r->chain.in_count--;
}

/* Take the header and the status off the chain's ends. Returns false if they are missing. */
static bool request_parse(struct blk_request *r)
{
    struct iovec *out = r->chain.out;
    unsigned out_count = r->chain.out_count;
    struct blk_header header;

    if (r->chain.in_bytes == 0 || iov_take(&out, &out_count, &header, sizeof header) != sizeof header)
        return false;
    take_status(r);
    bool reads = header.type == BLK_IN || header.type == BLK_GET_ID;
    r->type = header.type;
    r->offset = header.sector <= UINT64_MAX / SECTOR ? header.sector * SECTOR : UINT64_MAX - SECTOR + 1;
    r->bytes = reads ? r->chain.in_bytes - 1 : r->chain.out_bytes - sizeof header;
    r->iov = reads ? r->chain.in : out;
    r->iov_count = reads ? r->chain.in_count : out_count;
    r->head = r->chain.head;
    r->run = r->disk->device.run;
    return true;
}

static void notify(struct virtio_device *v, unsigned queue)
{
    struct disk *disk = v->dev;
    struct blk_request *r;

    while ((r = disk->free) && virtq_pop(v, queue, &r->chain)) {
        if (!request_parse(r)) {
            virtio_broken(v, "a request of %zu bytes to read and %zu to write has no header or no status",
                          r->chain.out_bytes, r->chain.in_bytes);
            break;
        }
        disk->free = r->next;
        request_start(r);
    }
    if (disk->submit)
        disk->submit(disk);
    blk_tell(disk);
}

static void stopped(struct virtio_device *v)
{
    struct disk *disk = v->dev;

    if (disk->drain)
        disk->drain(disk); /* after a reset the guest's memory must not change any more (§2.4.1) */
}

/* ---- Making disks from options ---- */

/* Cut "FILE,ro,serial=ID" apart. */
static int parse_words(struct disk *disk, const char *option)
{
    char *text = vm_new_device(disk->device.vm, strlen(option) + 1), *rest = text, *word;

    if (!text)
        return -ENOMEM;
    strcpy(text, option);
    disk->path = strsep(&rest, ",");
    while ((word = strsep(&rest, ","))) {
        if (strcmp(word, "ro") == 0)
            disk->read_only = true;
        else if (strncmp(word, "serial=", 7) == 0 && strlen(word + 7) < sizeof disk->serial)
            strcpy(disk->serial, word + 7);
        else
            return complain(-EINVAL,
                            "--disk %s: '%s' is neither 'ro' nor 'serial=' with at most 20 characters",
                            option, word);
    }
    return 0;
}

/* Two that write one image destroy it. The lock goes with the descriptor, however the process ends. */
static int lock_file(struct disk *disk)
{
    struct flock lock = {.l_type = disk->read_only ? F_RDLCK : F_WRLCK, .l_whence = SEEK_SET};

    if (fcntl(disk->fd, F_OFD_SETLK, &lock) == 0 || (errno != EAGAIN && errno != EACCES))
        return 0; /* a file system without locks cannot protect anybody */
    return complain(-EBUSY, "--disk %s: another program uses it; end that, or give both %s,ro", disk->path,
                    disk->path);
}

static int open_file(struct disk *disk)
{
    struct stat st;

    /* A pipe without a writer would block. */
    disk->fd = open(disk->path, (disk->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK);
    if (disk->fd < 0 || fstat(disk->fd, &st) < 0)
        return complain(-errno, "--disk %s: %s%s", disk->path, strerror(errno),
                        errno == ENOENT                     ? "; make disks with scripts/mkdisk"
                        : errno == EACCES || errno == EROFS ? "; add ',ro' to only read it"
                                                            : "");
    if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
        return complain(-ENOTBLK, "--disk %s: neither a file nor a block device", disk->path);
    fcntl(disk->fd, F_SETFL, 0); /* the disk's requests do wait */
    off_t size = lseek(disk->fd, 0, SEEK_END);
    if (size <= 0 || size % SECTOR)
        return complain(-EINVAL,
                        "--disk %s: size %ld is not a multiple of %u; make disks with scripts/mkdisk",
                        disk->path, (long)size, SECTOR);
    disk->size = (uint64_t)size;
    return lock_file(disk);
}

static int make_requests(struct disk *disk)
{
    struct blk_request *r = vm_new_device(disk->device.vm, VIRTIO_QUEUE_SIZE_MAX * sizeof *r);

    for (unsigned i = 0; r && i < VIRTIO_QUEUE_SIZE_MAX; i++) {
        r[i].disk = disk;
        r[i].next = disk->free;
        disk->free = &r[i];
    }
    return r ? 0 : -ENOMEM;
}

static void fill_config(struct disk *disk)
{
    uint32_t most = UINT32_MAX / SECTOR;

    *(struct blk_config *)disk->device.state->config = (struct blk_config){
        .capacity = disk->size / SECTOR,
        .seg_max = BLK_SEGMENTS_MAX,
        .blk_size = SECTOR,
        .max_discard_sectors = most,
        .max_discard_seg = SEGMENTS_MAX,
        .discard_sector_alignment = 1,
        .max_write_zeroes_sectors = most,
        .max_write_zeroes_seg = SEGMENTS_MAX,
        .write_zeroes_may_unmap = 1,
    };
}

static const struct virtio_type type = {
    .id = 2, .queues = 1, .config_size = sizeof(struct blk_config), .notify = notify, .stopped = stopped};

static int disk_attach(struct vm *vm, const char *option, unsigned index)
{
    struct disk *disk = vm_new_device(vm, sizeof *disk);

    if (!disk)
        return -ENOMEM;
    disk->fd = -1;
    disk->start = start_and_wait;
    snprintf(disk->name, sizeof disk->name, "vd%c", 'a' + index);
    snprintf(disk->serial, sizeof disk->serial, "terrarium-%s", disk->name);
    disk->device = (struct virtio_device){.name = disk->name, .type = &type, .vm = vm, .dev = disk};
    int err = parse_words(disk, option) ?: open_file(disk) ?: make_requests(disk);
    uint64_t features = F_SEG_MAX | F_BLK_SIZE | F_FLUSH;
    disk->device.features = features | (disk->read_only ? F_RO : F_DISCARD | F_WRITE_ZEROES);
    if (err == 0)
        err = virtio_attach(&disk->device);
    if (err == 0)
        fill_config(disk);
    else if (disk->fd >= 0)
        close(disk->fd);
    return err;
}

static int disks_attach(struct vm *vm)
{
    int err = 0;

    for (unsigned i = 0; err == 0 && i < options[0].count; i++)
        err = disk_attach(vm, options[0].values[i], i);
    return err;
}

static void (*each_disk)(struct disk *disk);

static void call_if_disk(struct virtio_device *v)
{
    if (v->type == &type)
        each_disk(v->dev);
}

void blk_each(struct vm *vm, void (*fn)(struct disk *disk))
{
    each_disk = fn;
    virtio_each(vm, call_if_disk);
}

static void disk_close(struct disk *disk)
{
    if (!disk->read_only)
        fdatasync(disk->fd);
    close(disk->fd);
}

static void disks_ended(struct vm *vm)
{
    blk_each(vm, disk_close);
}

FEATURE(virtio_blk) = {
    .name = "virtio-blk",
    .lab = 8,
    .help = "disks by virtio",
    .options = options,
    .attach = disks_attach,
    .ended = disks_ended,
};
