/* The disk, and the kernel around the block layer, for tests on the host. */
#include <unistd.h>
#include "tests/unit/moss_disk.h"
#include "guestos/include/clock.h"
#include "guestos/include/frames.h"
#include "guestos/include/heap.h"
#include "guestos/include/printk.h"
#include "guestos/include/string.h"
#include "guestos/include/user.h"

#define PAGE 4096

int memfd_create(const char *name, unsigned flags); /* <sys/mman.h> defines what Moss's abi.h does */

uint64_t disk_cache_blocks = 256;
char disk_warnings[4096], disk_output[1 << 20];
size_t disk_output_size, disk_kmalloc_most;
unsigned disk_kmalloc_fails;
uint64_t disk_frames_free, disk_lent[DISK_LENT_MAX];
unsigned disk_lent_count;
static struct disk *all[8]; /* disks whose requests are done when somebody waits */
static uint64_t now = 1700000000 * NS_PER_SECOND;

/* --- the kernel around the block layer --- */

void *kmalloc(size_t size)
{
    if (disk_kmalloc_fails && --disk_kmalloc_fails == 0)
        disk_kmalloc_fails = 1;
    if (disk_kmalloc_fails == 1)
        return NULL;
    disk_kmalloc_most = MAX(disk_kmalloc_most, size);
    return calloc(1, size ? size : 1);
}

void kfree(void *p)
{
    free(p);
}

void strcopy(char *to, const char *s, size_t size)
{
    snprintf(to, size, "%s", s);
}

uint64_t frames_total(void)
{
    return disk_cache_blocks * 8; /* the cache takes an eighth */
}

uint64_t frames_free(void)
{
    return disk_frames_free;
}

uint64_t (*frame_lender)(void);

/* Nobody uses any more what was lent. */
void frames_call_home(uint64_t start, uint64_t end, void (*home)(uint64_t physical))
{
    while (disk_lent_count > 0) {
        assert_in_range(disk_lent[--disk_lent_count], start, end - 1);
        home(disk_lent[disk_lent_count]);
    }
}

uint64_t frames_alloc_together(uint64_t count)
{
    moss_ram((count + 1) * PAGE_SIZE);
    return PAGE_SIZE;
}

uint64_t clock_ns(void)
{
    return now;
}

uint64_t clock_wall_ns(void)
{
    return now += NS_PER_SECOND;
}

int copy_to_user(uint64_t to, const void *from, size_t n)
{
    memcpy((void *)to, from, n);
    return 0;
}

void printk(const char *fmt, ...)
{
    (void)fmt;
}

void warn(const char *fmt, ...)
{
    size_t used = strlen(disk_warnings);
    va_list args;

    va_start(args, fmt);
    vsnprintf(disk_warnings + used, sizeof disk_warnings - used, fmt, args);
    va_end(args);
}

int format(char *to, size_t size, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    int n = vsnprintf(to, size, fmt, args);
    va_end(args);
    return n;
}

int devfs_add(const char *name, struct vnode *node)
{
    (void)name;
    (void)node;
    return 0;
}

struct thread *thread_create(const char *name, void (*fn)(void *arg), void *arg)
{
    (void)name;
    (void)fn;
    (void)arg;
    return NULL;
}

void thread_start(struct thread *thread)
{
    (void)thread;
}

void thread_wake(struct thread *thread)
{
    (void)thread;
}

/* --- waiting: there is one thread, so while it waits the disks work --- */

void wait_queue_init(struct wait_queue *queue)
{
    list_init(&queue->waiters);
}

void wait_prepare(struct wait_queue *queue, uint64_t deadline)
{
    (void)queue;
    (void)deadline;
}

void wait_finish(struct wait_queue *queue)
{
    (void)queue;
}

void wake_all(struct wait_queue *queue)
{
    (void)queue;
}

static bool do_one(struct disk *disk);

int wait_sleep(uint64_t deadline, bool interruptible)
{
    bool any = false;

    (void)deadline;
    (void)interruptible;
    assert_int_equal(moss_locks_held(), 0);
    for (unsigned i = 0; i < sizeof all / sizeof *all && !any; i++)
        any = all[i] && do_one(all[i]);
    if (!any)
        fail_msg("the kernel waits, and no request is under way that could wake it");
    return 0;
}

void mutex_init(struct mutex *mutex)
{
    mutex->locked = false;
}

void mutex_lock(struct mutex *mutex)
{
    assert_false(mutex->locked); /* it would wait for itself */
    mutex->locked = true;
}

void mutex_unlock(struct mutex *mutex)
{
    assert_true(mutex->locked);
    mutex->locked = false;
}

/* --- the disk --- */

static void record(struct disk *disk, const struct block_request *request)
{
    if (disk->event_count == disk->event_room) {
        disk->event_room = disk->event_room ? disk->event_room * 2 : 64;
        disk->events = realloc(disk->events, disk->event_room * sizeof *disk->events);
        assert_non_null(disk->events);
    }
    struct disk_event *event = &disk->events[disk->event_count++];
    *event = (struct disk_event){request->op, request->sector, request->bytes, NULL};
    if (request->bytes == 0)
        return;
    event->data = malloc(request->bytes);
    assert_non_null(event->data);
    memcpy(event->data, request->data, request->bytes);
}

void disk_peek(struct disk *disk, uint64_t offset, void *to, size_t n)
{
    assert_int_equal(pread(disk->fd, to, n, (off_t)offset), n);
}

static bool all_zero(const char *bytes, size_t n)
{
    return n == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, n - 1) == 0);
}

/* Zeros where there are only zeros are not written: so a file of 1 GiB fits into the memory of the machine.
 */
void disk_poke(struct disk *disk, uint64_t offset, const void *from, size_t n)
{
    for (size_t done = 0, part; done < n; done += part) {
        uint64_t at = offset + done, page = at / PAGE;
        const char *bytes = (const char *)from + done;
        part = PAGE - at % PAGE < n - done ? PAGE - at % PAGE : n - done;
        if (!disk->touched[page] && all_zero(bytes, part))
            continue;
        disk->touched[page] = 1;
        assert_int_equal(pwrite(disk->fd, bytes, part, (off_t)at), part);
    }
}

static int carry_out(struct disk *disk, const struct block_request *request)
{
    int error = request->op == BLOCK_READ    ? disk->read_error
                : request->op == BLOCK_WRITE ? disk->write_error
                                             : disk->flush_error;

    if (error)
        return error;
    disk->flushes += request->op == BLOCK_FLUSH;
    if (request->op == BLOCK_READ)
        disk_peek(disk, request->sector * SECTOR_SIZE, request->data, request->bytes);
    if (request->op == BLOCK_WRITE)
        disk_poke(disk, request->sector * SECTOR_SIZE, request->data, request->bytes);
    if (disk->recording && request->op != BLOCK_READ)
        record(disk, request);
    return 0;
}

/* Do one of the requests that wait: any, as a disk does. */
static bool do_one(struct disk *disk)
{
    if (disk->queued == 0)
        return false;
    unsigned which = disk->in_order ? 0 : moss_random() % disk->queued;
    struct block_request *request = disk->queue[which];
    disk->queued--;
    memmove(&disk->queue[which], &disk->queue[which + 1], (disk->queued - which) * sizeof *disk->queue);
    request->error = carry_out(disk, request);
    request->done(request);
    return true;
}

void disk_settle(struct disk *disk)
{
    while (do_one(disk))
        ;
}

static void disk_submit(struct block_device *device, struct block_request *request)
{
    struct disk *disk = device->driver;

    assert_int_equal(moss_locks_held(), 0);
    assert_int_equal(request->bytes % SECTOR_SIZE, 0);
    assert_true((request->bytes == 0) == (request->op == BLOCK_FLUSH));
    assert_true(request->bytes <= device->bytes_max);
    assert_true(request->sector + request->bytes / SECTOR_SIZE <= device->sectors);
    assert_true(request->op == BLOCK_READ || !device->read_only);
    assert_true(disk->queued < DISK_QUEUE);
    disk->queue[disk->queued++] = request;
    disk->queued_most = disk->queued > disk->queued_most ? disk->queued : disk->queued_most;
    disk->bytes_most = request->bytes > disk->bytes_most ? request->bytes : disk->bytes_most;
    disk->requests++;
}

struct disk *disk_create(uint64_t bytes)
{
    struct disk *disk = calloc(1, sizeof *disk);
    unsigned i = 0;

    assert_non_null(disk);
    disk->touched = calloc(1, bytes / PAGE + 1);
    disk->fd = memfd_create("disk", 0);
    assert_true(disk->fd >= 0);
    assert_int_equal(ftruncate(disk->fd, (off_t)bytes), 0);
    snprintf(disk->path, sizeof disk->path, "/proc/%d/fd/%d", getpid(), disk->fd);
    disk->device = (struct block_device){.name = "vda",
                                         .sectors = bytes / SECTOR_SIZE,
                                         .has_flush = true,
                                         .bytes_max = 256 * 1024,
                                         .in_flight = 64,
                                         .submit = disk_submit,
                                         .driver = disk};
    while (all[i])
        i++;
    all[i] = disk;
    assert_int_equal(cache_init(), 0);
    return disk;
}

void disk_destroy(struct disk *disk)
{
    disk->read_error = disk->write_error = disk->flush_error = 0;
    cache_write_out(&disk->device, CACHE_LATE); /* a dirty block would keep its place in the cache */
    disk_settle(disk);
    cache_drop(&disk->device);
    for (unsigned i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i] == disk)
            all[i] = NULL;
    for (size_t i = 0; i < disk->event_count; i++)
        free(disk->events[i].data);
    free(disk->events);
    free(disk->touched);
    close(disk->fd);
    free(disk);
}

/* The command with the disk's path for each @. fsck.fat is where only root looks. */
static void expand(const struct disk *disk, const char *from, char *to, size_t size)
{
    size_t n = (size_t)snprintf(to, size, "PATH=$PATH:/usr/sbin:/sbin ");

    for (; *from && n + sizeof disk->path < size; from++) {
        if (*from == '@')
            n += (size_t)snprintf(to + n, size - n, "%s", disk->path);
        else
            to[n++] = *from;
    }
    to[n] = 0;
}

int disk_run(struct disk *disk, const char *format, ...)
{
    char text[4096], command[8192];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    expand(disk, text, command, sizeof command);
    strcat(command, " 2>&1");
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    disk_output_size = fread(disk_output, 1, sizeof disk_output - 1, pipe);
    disk_output[disk_output_size] = 0;
    int status = pclose(pipe);
    memset(disk->touched, 1,
           disk->device.sectors * SECTOR_SIZE / PAGE + 1); /* it may have written anywhere */
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}
