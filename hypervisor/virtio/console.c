/* A console by virtio (virtio 1.2 §5.3): whole buffers of output in one exit, and a window that can change
 * its size. */
#include <stdlib.h>
#include "../devices/console.h"
#include "virtio.h"

#define F_SIZE        (1ul << 0)
#define F_EMERG_WRITE (1ul << 2)

enum { RECEIVE, TRANSMIT };

struct console_config {
    uint16_t columns, rows;
    uint32_t max_ports, emergency_write;
};

/* What the driver does not take yet stays with the host. */
struct virtio_console {
    struct virtio_device device;
    bool end_due; /* the input has ended; the driver was not told */
};

static struct option options[] = {
    {.name = "console",
     .arg = "virtio|serial",
     .help =
         "the guest's console (virtio, if the guest has a driver; input goes to the serial port until then)"},
    {0},
};

/* Send all that the driver wants printed. */
static void transmit(struct virtio_device *v)
{
    struct chain chain;

    while (virtq_pop(v, TRANSMIT, &chain)) {
        for (unsigned i = 0; i < chain.out_count; i++)
            vm_output(v->vm, chain.out[i].iov_base, chain.out[i].iov_len);
        virtq_push(v, TRANSMIT, chain.head, 0);
    }
    virtq_tell(v, TRANSMIT);
}

/* Fill a buffer with what was typed. An empty one stands for the end of the input, behind all of it. */
static size_t fill(struct virtio_console *console, struct iovec *iov, unsigned count)
{
    struct vm *vm = console->device.vm;
    size_t written = 0;

    while (count > 0 && !console->end_due) {
        int item = console_next(vm, &console->device);
        uint8_t byte = (uint8_t)item;
        if (item == CONSOLE_EMPTY)
            return written;
        if (item == CONSOLE_BREAK)
            console->end_due = true;
        else
            written += iov_give(&iov, &count, &byte, 1);
    }
    if (written == 0)
        console->end_due = false; /* this is it */
    return written;
}

static void receive(struct virtio_console *console)
{
    struct virtio_device *v = &console->device;
    struct chain chain;

    while ((console->end_due || console_waiting(v->vm, v)) && virtq_pop(v, RECEIVE, &chain)) {
        struct iovec *in = chain.in;
        virtq_push(v, RECEIVE, chain.head, fill(console, in, chain.in_count));
    }
    virtq_tell(v, RECEIVE);
}

static void update_size(struct virtio_device *v)
{
    struct console_config *config = (struct console_config *)v->state->config;
    uint16_t columns, rows;

    console_size(&columns, &rows);
    if (columns == config->columns && rows == config->rows)
        return;
    config->columns = columns;
    config->rows = rows;
    virtio_config_changed(v);
}

/* The host has something new: bytes, the end, another size of the window. */
static void ready(struct vm *vm, void *dev)
{
    (void)vm;
    update_size(dev);
    receive(dev);
}

static void notify(struct virtio_device *v, unsigned queue)
{
    if (queue == TRANSMIT)
        transmit(v);
    else
        receive((struct virtio_console *)v);
}

/* The guest has a driver: from now on the input comes here, until the device is reset. */
static void started(struct virtio_device *v)
{
    console_offer(v->vm, ready, v);
    ready(v->vm, v);
}

static void stopped(struct virtio_device *v)
{
    console_withdraw(v->vm, v);
}

/* A byte to print without any queue (§5.3.4, emerg_wr). */
static void config_write(struct virtio_device *v, uint64_t offset, unsigned size, uint64_t value)
{
    uint8_t byte = (uint8_t)value;

    if (offset == offsetof(struct console_config, emergency_write) && size == 4)
        vm_output(v->vm, &byte, 1);
}

static int console_attach(struct vm *vm)
{
    static const struct virtio_type type = {.id = 3,
                                            .queues = 2,
                                            .config_size = sizeof(struct console_config),
                                            .notify = notify,
                                            .started = started,
                                            .stopped = stopped,
                                            .config_write = config_write};
    const char *kind = options[0].value ?: "virtio";

    if (vm->bare || strcmp(kind, "serial") == 0)
        return 0;
    if (strcmp(kind, "virtio") != 0)
        return complain(-EINVAL, "--console %s: it can be 'virtio' or 'serial'", kind);
    struct virtio_console *console = vm_new_device(vm, sizeof *console);
    if (!console)
        return -ENOMEM;
    console->device = (struct virtio_device){
        .name = "virtio-console", .type = &type, .vm = vm, .features = F_SIZE | F_EMERG_WRITE};
    int err = virtio_attach(&console->device);
    if (err == 0)
        update_size(&console->device);
    return err;
}

FEATURE(virtio_console) = {
    .name = "virtio-console",
    .lab = 7,
    .help = "a console by virtio",
    .options = options,
    .attach = console_attach,
};
