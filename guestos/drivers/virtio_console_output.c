/*
 * What is written to the virtio console: gathered in buffers of a frame, many of which can be on their way. A
 * program that is faster than the device sleeps; the kernel's own messages wait a while, and are lost then.
 */
#include "clock.h"
#include "console.h"
#include "cpu.h"
#include "errno.h"
#include "frames.h"
#include "heap.h"
#include "string.h"
#include "thread.h"
#include "virtio_console.h"

#define BUFFERS     16
#define PATIENCE_NS NS_PER_SECOND

struct buffer {
    struct buffer *next; /* idle, too */
    char *bytes;         /* a frame */
    uint32_t used;
};

static struct virtqueue *output;
static struct spinlock lock;   /* guards all of this, the queue included */
static struct buffer *filling; /* not sent yet; NULL: none */
static struct buffer *idle;    /* empty ones */
static unsigned idle_count, buffer_count;
static bool stuck; /* the device has taken nothing for longer than messages wait; they do no more */
static struct wait_queue room_made = WAIT_QUEUE_INIT(room_made);
static bool panicking;
static void (*write_emergency)(const char *bytes, size_t n);

static void put_idle(struct buffer *buffer)
{
    buffer->used = 0;
    buffer->next = idle;
    idle = buffer;
    idle_count++;
}

int output_begin(struct virtqueue *queue)
{
    for (buffer_count = 0; buffer_count < MIN(BUFFERS, queue->size); buffer_count++) {
        struct buffer *buffer = kmalloc(sizeof(*buffer));
        uint64_t frame = frame_alloc();
        if (!buffer || !frame)
            return -ENOMEM;
        buffer->bytes = phys_to_virt(frame);
        put_idle(buffer);
    }
    output = queue;
    return 0;
}

static size_t room(void)
{
    return (filling ? PAGE_SIZE - filling->used : 0) + idle_count * PAGE_SIZE;
}

static void send_filling(void)
{
    struct virtqueue_buffer part = {filling->bytes, filling->used};

    if (virtqueue_add(output, &part, 1, 0, filling) != 0)
        put_idle(filling); /* the device was given up: there is always room for all our buffers */
    filling = NULL;
}

/* Put bytes, for which there is room, behind the others. */
static void append(const char *bytes, size_t n)
{
    while (n) {
        if (!filling) {
            filling = idle;
            idle = filling->next;
            idle_count--;
        }
        size_t part = MIN(n, PAGE_SIZE - filling->used);
        memcpy(filling->bytes + filling->used, bytes, part);
        filling->used += part;
        bytes += part;
        n -= part;
        if (filling->used == PAGE_SIZE)
            send_filling();
    }
}

static void send_all(void)
{
    if (filling)
        send_filling();
    virtqueue_kick(output);
}

static void take_back(void)
{
    struct buffer *buffer;
    uint32_t written;

    while ((buffer = virtqueue_take(output, &written))) {
        put_idle(buffer);
        stuck = false;
    }
}

static bool device_failed(void)
{
    return output->device->failure;
}

/* Wait for room without sleeping, but not for ever. */
static bool poll_for_room(size_t n)
{
    uint64_t start = clock_ns();

    take_back();
    if (room() >= n)
        return true;
    send_all();
    for (take_back(); room() < n && !stuck && !device_failed(); take_back()) {
        stuck = clock_ns() - start > PATIENCE_NS;
        cpu_relax();
    }
    return room() >= n;
}

static void write_locked(const char *bytes, size_t n)
{
    while (n) {
        size_t part = MIN(n, PAGE_SIZE);
        if (!poll_for_room(part))
            break;
        append(bytes, part);
        bytes += part;
        n -= part;
    }
    send_all();
}

void output_write(const char *bytes, size_t n)
{
    if (panicking && write_emergency) {
        write_emergency(bytes, n);
        return;
    }
    spin_lock(&lock);
    write_locked(bytes, n);
    spin_unlock(&lock);
    virtio_tell_failure(output->device);
}

/*
 * Is it worth waking up? Whoever had to wait waits until half of the buffers are idle: then few interrupts
 * move many bytes. Asks for an interrupt if not.
 */
static bool enough_room(void)
{
    unsigned wanted = (buffer_count + 1) / 2;

    spin_lock(&lock);
    take_back();
    while (idle_count < wanted && virtqueue_listen(output, wanted - idle_count))
        take_back();
    bool enough = idle_count >= wanted || device_failed();
    spin_unlock(&lock);
    return enough;
}

bool output_write_sleeping(const char *bytes, size_t n, bool more)
{
    for (;;) {
        spin_lock(&lock);
        take_back();
        if (room() >= n || device_failed())
            break;
        send_all();
        spin_unlock(&lock);
        if (wait_until(&room_made, enough_room(), NEVER, true) != 0)
            return false;
    }
    bool failed = device_failed();
    if (!failed)
        append(bytes, n);
    if (!more)
        send_all();
    spin_unlock(&lock);
    virtio_tell_failure(output->device);
    if (failed)
        console_write(bytes, n); /* to the console that has taken its place */
    return true;
}

void output_used(struct virtqueue *queue)
{
    spin_lock(&lock);
    virtqueue_quiet(queue);
    spin_unlock(&lock);
    wake_all(&room_made);
}

void output_flush(void)
{
    if (panicking && write_emergency)
        return;
    spin_lock(&lock);
    take_back();
    send_all();
    uint64_t start = clock_ns();
    while (output->in_flight && !device_failed() && (clock_ns() - start < PATIENCE_NS || !panicking)) {
        cpu_relax();
        take_back();
    }
    spin_unlock(&lock);
}

void output_panic(void (*emergency)(const char *bytes, size_t n))
{
    panicking = true;
    write_emergency = emergency;
    lock.locked = false; /* its holder may be the one that panics */
}

void output_end(void)
{
    wake_all(&room_made);
}
