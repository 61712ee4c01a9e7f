/*
 * The virtio console (virtio 1.2 §5.3), port 0: its input, its size, and its life. Once it is there, it is
 * the console of the whole system. What is written to it is the business of virtio_console_output.c.
 */
#include "console.h"
#include "errno.h"
#include "frames.h"
#include "spinlock.h"
#include "virtio_console.h"

#define DEVICE_ID     3
#define F_SIZE        (1ul << 0)
#define F_EMERG_WRITE (1ul << 2)

/* Configuration (§5.3.4). */
#define CONFIG_COLUMNS     0 /* 2 bytes; the rows follow */
#define CONFIG_EMERG_WRITE 8

#define INPUT_BUFFERS 8 /* of a frame each */

static struct virtio_device *console_device; /* there is one console */
static struct virtqueue *input_queue;
static struct spinlock input_lock; /* guards what follows; taken before the reader's own lock, never after */
static char *current;              /* the buffer that is being given to the reader; NULL: none */
static uint32_t length, given;     /* bytes in it, and those that the reader has */

static void supply(char *buffer)
{
    struct virtqueue_buffer whole = {buffer, PAGE_SIZE};

    virtqueue_add(input_queue, &whole, 0, 1, buffer);
}

/* Give the current buffer to the reader. Returns false when a byte is left that it does not want now. An
 * empty buffer says that the other side has closed. */
static bool give_current(void)
{
    if (length == 0)
        return console_input(CONSOLE_EOF);
    for (; given < length; given++)
        if (!console_input((unsigned char)current[given]))
            return false;
    return true;
}

/* Give away all that has arrived. The device gets a buffer back when it has been read to its end, so a reader
 * that takes nothing makes the sender wait. */
static bool give_away(void)
{
    for (;;) {
        if (!current) {
            current = virtqueue_take(input_queue, &length);
            given = 0;
        }
        if (!current)
            return true;
        if (!give_current())
            return false;
        supply(current);
        current = NULL;
    }
}

static void receive(void)
{
    bool again;

    spin_lock(&input_lock);
    do {
        virtqueue_quiet(input_queue);
        again = give_away() && virtqueue_listen(input_queue, 1);
    } while (again);
    virtqueue_kick(input_queue);
    spin_unlock(&input_lock);
}

static void input_arrived(struct virtqueue *queue)
{
    (void)queue;
    receive();
}

/* From the reader: it has room again. */
static void resume_input(void)
{
    receive();
    virtio_tell_failure(console_device);
}

static void read_size(struct virtio_device *device)
{
    uint16_t size[2]; /* columns, rows */

    if (!virtio_has(device, F_SIZE))
        return;
    virtio_config_read(device, CONFIG_COLUMNS, sizeof(size[0]), 2, size);
    if (!device->failure)
        console_resized(size[1], size[0]);
}

/* The way out for a kernel that panics: a register that needs no ring and no lock (§5.3.4). */
static void write_emergency(const char *bytes, size_t n)
{
    while (n--)
        virtio_config_write(console_device, CONFIG_EMERG_WRITE, (unsigned char)*bytes++);
}

static void panic_begins(void)
{
    output_panic(virtio_has(console_device, F_EMERG_WRITE) ? write_emergency : NULL);
}

static const struct console console = {
    .name = "virtio console",
    .write = output_write,
    .resume_input = resume_input,
    .write_sleeping = output_write_sleeping,
    .flush = output_flush,
    .panic = panic_begins,
};

static int supply_all(void)
{
    for (unsigned i = 0; i < MIN(INPUT_BUFFERS, input_queue->size); i++) {
        uint64_t frame = frame_alloc();
        if (!frame)
            return -ENOMEM;
        supply(phys_to_virt(frame));
    }
    return 0;
}

static int probe(struct virtio_device *device)
{
    if (console_device)
        return -EEXIST;
    input_queue = virtqueue_create(device, 0, input_arrived);
    struct virtqueue *output_queue = virtqueue_create(device, 1, output_used);
    if (!input_queue || !output_queue || supply_all() != 0)
        return -ENOMEM;
    int error = output_begin(output_queue);
    if (error)
        return error;
    console_device = device;
    virtio_ready(device);
    read_size(device);
    console_register(&console); /* which resumes input, so that the device is told of the buffers */
    return 0;
}

static void failed(struct virtio_device *device)
{
    if (device != console_device)
        return;
    console_unregister(&console);
    output_end();
}

VIRTIO_DRIVER(console, .name = "virtio-console", .id = DEVICE_ID, .features = F_SIZE | F_EMERG_WRITE,
              .probe = probe, .config_changed = read_size, .failed = failed);
