/* Virtio over MMIO (virtio 1.2 §4.2, register layout version 2): the window of registers that every device
 * has. */
#include <stdarg.h>
#include <stdio.h>
#include "virtio.h"

#define WINDOW_BASE   0xd0000000ul
#define WINDOW_STRIDE 0x1000ul
#define WINDOW_SIZE   0x200ul
#define CONFIG        0x100ul
#define FAULTS_TOLD   16 /* a guest must not fill the host's log */

/* Registers (§4.2.2, table "MMIO Device Register Layout"). */
enum {
    MAGIC_VALUE = 0x00,
    VERSION = 0x04,
    DEVICE_ID = 0x08,
    VENDOR_ID = 0x0c,
    DEVICE_FEATURES = 0x10,
    DEVICE_FEATURES_SEL = 0x14,
    DRIVER_FEATURES = 0x20,
    DRIVER_FEATURES_SEL = 0x24,
    QUEUE_SEL = 0x30,
    QUEUE_SIZE_MAX = 0x34,
    QUEUE_SIZE = 0x38,
    QUEUE_READY = 0x44,
    QUEUE_NOTIFY = 0x50,
    INTERRUPT_STATUS = 0x60,
    INTERRUPT_ACK = 0x64,
    STATUS = 0x70,
    QUEUE_DESC = 0x80, /* low half; the high one follows */
    QUEUE_DRIVER = 0x90,
    QUEUE_DEVICE = 0xa0,
    SHM_LEN = 0xb0,
    SHM_BASE = 0xb8,
    CONFIG_GENERATION = 0xfc,
};

/* Lines that nothing on a PC needs, those of the two 8259s first. */
static const uint8_t lines[] = {5, 6, 7, 9, 10, 11, 12, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23};

static uint64_t offered(const struct virtio_device *v)
{
    return v->features | VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX;
}

bool virtio_running(const struct virtio_device *v)
{
    return (v->state->status & (VIRTIO_STATUS_DRIVER_OK | VIRTIO_STATUS_NEEDS_RESET)) ==
           VIRTIO_STATUS_DRIVER_OK;
}

bool virtio_has(const struct virtio_device *v, uint64_t feature)
{
    return v->state->features & feature;
}

static void set_line(struct virtio_device *v, int level)
{
    irq_set_line(v->vm, v->line, level);
}

void virtio_interrupt(struct virtio_device *v, uint32_t reason)
{
    bool was_up = v->state->interrupts;

    v->state->interrupts |= reason;
    if (!was_up) /* else the driver has yet to acknowledge, and looks everywhere after that */
        v->set_line(v, 1);
}

/* A line that stays up falls for a moment: a guest that takes it for edge-triggered sees that something is
 * left. */
static void acknowledge(struct virtio_device *v, uint32_t reasons)
{
    v->state->interrupts &= ~reasons;
    v->set_line(v, 0);
    if (v->state->interrupts)
        v->set_line(v, 1);
}

void virtio_config_changed(struct virtio_device *v)
{
    v->state->generation++;
    if (virtio_running(v))
        virtio_interrupt(v, VIRTIO_INTERRUPT_CONFIG);
}

static void stop(struct virtio_device *v)
{
    v->run++;
    if (v->running)
        v->running(v, false);
    if (v->type->stopped)
        v->type->stopped(v);
}

void virtio_broken(struct virtio_device *v, const char *format, ...)
{
    char text[256];
    va_list args;

    if (v->state->status & VIRTIO_STATUS_NEEDS_RESET)
        return; /* it was told once */
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (v->faults < FAULTS_TOLD)
        complain(0, "%s: the guest's driver broke the rules, the device waits for a reset: %s", v->name,
                 text);
    if (++v->faults == FAULTS_TOLD)
        complain(0, "%s: its next faults are not told any more", v->name);
    bool ran = virtio_running(v);
    v->state->status |= VIRTIO_STATUS_NEEDS_RESET;
    if (ran) {
        stop(v);
        virtio_interrupt(v, VIRTIO_INTERRUPT_CONFIG);
    }
}

/* Back to the beginning (§2.4): only the configuration and its generation stay. */
static void reset(struct virtio_device *v)
{
    struct virtio_state *s = v->state;
    bool ran = virtio_running(v);

    s->status = s->interrupts = 0;
    s->features = 0;
    s->device_features_select = s->driver_features_select = s->queue_select = 0;
    memset(s->queues, 0, sizeof s->queues);
    if (ran)
        stop(v);
    v->set_line(v, 0);
}

/* The steps of §3.1.1, in their order. Bits once set stay until the reset. */
static void write_status(struct virtio_device *v, uint32_t value)
{
    struct virtio_state *s = v->state;
    uint32_t fresh = value & ~s->status;

    if (value == 0) {
        reset(v);
        return;
    }
    s->status |= fresh & (VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER | VIRTIO_STATUS_FAILED);
    if (fresh & VIRTIO_STATUS_FEATURES_OK && s->features & VIRTIO_F_VERSION_1 && !(s->features & ~offered(v)))
        s->status |=
            VIRTIO_STATUS_FEATURES_OK; /* else it stays off: that is how the driver learns of our no */
    if (!(fresh & VIRTIO_STATUS_DRIVER_OK))
        return;
    if (!(s->status & VIRTIO_STATUS_FEATURES_OK)) {
        virtio_broken(v, "DRIVER_OK before FEATURES_OK (status 0x%x)", s->status);
        return;
    }
    s->status |= VIRTIO_STATUS_DRIVER_OK;
    if (!virtio_running(v)) /* it broke before: nothing starts, so that the reset has nothing to stop */
        return;
    if (v->running)
        v->running(v, true);
    if (v->type->started)
        v->type->started(v);
}

static void write_features(struct virtio_device *v, uint32_t value)
{
    struct virtio_state *s = v->state;
    unsigned shift = s->driver_features_select * 32;

    if (s->status & VIRTIO_STATUS_FEATURES_OK || s->driver_features_select > 1)
        return; /* settled, or bits that do not exist yet */
    s->features = (s->features & ~(0xfffffffful << shift)) | (uint64_t)value << shift;
}

static struct virtqueue *selected_queue(struct virtio_device *v)
{
    return v->state->queue_select < v->type->queues ? &v->state->queues[v->state->queue_select] : NULL;
}

static void write_ready(struct virtio_device *v, struct virtqueue *q, uint32_t value)
{
    bool valid = virtq_valid(v->vm, q);

    q->ready = value == 1 && valid;
    if (value == 1 && !valid)
        virtio_broken(v,
                      "queue %u: %u entries at 0x%lx, 0x%lx, 0x%lx: a bad size, not aligned, or not in RAM",
                      v->state->queue_select, q->size, q->desc, q->avail, q->used);
}

/* The registers of a queue, which must not change while it is in use (§4.2.2.2). */
static void write_queue(struct virtio_device *v, uint64_t offset, uint32_t value)
{
    struct virtqueue *q = selected_queue(v);
    uint64_t *addresses[] = {q ? &q->desc : NULL, q ? &q->avail : NULL, q ? &q->used : NULL};

    if (!q || v->state->status & VIRTIO_STATUS_DRIVER_OK)
        return;
    if (offset == QUEUE_READY) {
        write_ready(v, q, value);
    } else if (q->ready) {
        return;
    } else if (offset == QUEUE_SIZE) {
        q->size = value <= VIRTIO_QUEUE_SIZE_MAX ? (uint16_t)value : 0;
    } else if (offset % 16 == 0 || offset % 16 == 4) {
        uint64_t *address = addresses[(offset - QUEUE_DESC) / 16];
        unsigned shift = offset % 16 ? 32 : 0;
        *address = (*address & ~(0xfffffffful << shift)) | (uint64_t)value << shift;
    }
}

static void write_register(struct virtio_device *v, uint64_t offset, uint32_t value)
{
    struct virtio_state *s = v->state;

    switch (offset) {
    case DEVICE_FEATURES_SEL:
        s->device_features_select = value;
        break;
    case DRIVER_FEATURES:
        write_features(v, value);
        break;
    case DRIVER_FEATURES_SEL:
        s->driver_features_select = value;
        break;
    case QUEUE_SEL:
        s->queue_select = value;
        break;
    case QUEUE_NOTIFY:
        if (value < v->type->queues && virtio_running(v) && v->type->notify)
            v->type->notify(v, value);
        break;
    case INTERRUPT_ACK:
        acknowledge(v, value);
        break;
    case STATUS:
        write_status(v, value);
        break;
    case QUEUE_SIZE:
    case QUEUE_READY:
    case QUEUE_DESC ... QUEUE_DEVICE + 4:
        write_queue(v, offset, value);
        break;
    }
}

static uint32_t read_register(struct virtio_device *v, uint64_t offset)
{
    struct virtio_state *s = v->state;
    struct virtqueue *q = selected_queue(v);

    switch (offset) {
    case MAGIC_VALUE:
        return 0x74726976; /* "virt" */
    case VERSION:
        return 2;
    case DEVICE_ID:
        return v->type->id;
    case VENDOR_ID:
        return 0x52524554; /* "TERR" */
    case DEVICE_FEATURES:
        return s->device_features_select < 2 ? (uint32_t)(offered(v) >> 32 * s->device_features_select) : 0;
    case QUEUE_SIZE_MAX:
        return q ? VIRTIO_QUEUE_SIZE_MAX : 0; /* 0: there is no such queue */
    case QUEUE_READY:
        return q ? q->ready : 0;
    case INTERRUPT_STATUS:
        return s->interrupts;
    case STATUS:
        return s->status;
    case SHM_LEN ... SHM_BASE + 4:
        return ~0u; /* no shared memory */
    case CONFIG_GENERATION:
        return s->generation;
    default:
        return 0;
    }
}

static uint64_t mmio_read(const struct access *a)
{
    struct virtio_device *v = a->dev;
    uint64_t value = 0;

    if (a->offset < CONFIG)
        return a->size == 4 && a->offset % 4 == 0 ? read_register(v, a->offset) : 0;
    if (a->offset - CONFIG + a->size <= v->type->config_size)
        memcpy(&value, &v->state->config[a->offset - CONFIG], a->size);
    return value;
}

static void mmio_write(const struct access *a, uint64_t value)
{
    struct virtio_device *v = a->dev;

    if (a->offset >= CONFIG && v->type->config_write)
        v->type->config_write(v, a->offset - CONFIG, a->size, value);
    else if (a->offset < CONFIG && a->size == 4 && a->offset % 4 == 0)
        write_register(v, a->offset, (uint32_t)value);
}

static const struct bus_ops mmio_ops = {.sizes = 1 | 2 | 4 | 8, .read = mmio_read, .write = mmio_write};

void virtio_each(struct vm *vm, void (*fn)(struct virtio_device *v))
{
    for (unsigned i = 0; i < vm->mmio.count; i++)
        if (vm->mmio.claims[i].ops == &mmio_ops)
            fn(vm->mmio.claims[i].dev);
}

int virtio_attach(struct virtio_device *v)
{
    struct vm *vm = v->vm;
    unsigned n = 0;
    char words[64];

    for (unsigned i = 0; i < vm->mmio.count; i++)
        n += vm->mmio.claims[i].ops == &mmio_ops;
    if (n == COUNT(lines))
        return complain(-ENOSPC,
                        "%s: there are interrupt lines for %u virtio devices, and that many are there",
                        v->name, n);
    v->gpa = WINDOW_BASE + n * WINDOW_STRIDE;
    v->line = lines[n];
    v->set_line = set_line;
    v->state = vm_new_device_state(vm, v->name, sizeof *v->state);
    if (!v->state)
        return -ENOMEM;
    snprintf(words, sizeof words, "virtio_mmio.device=%lu@0x%lx:%u", WINDOW_SIZE, v->gpa, v->line);
    int err = vm->bare ? 0 : vm_append_cmdline(vm, words);
    return err ?: bus_claim(&vm->mmio, v->gpa, WINDOW_SIZE, v->name, &mmio_ops, v);
}
