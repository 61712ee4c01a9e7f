/* The control socket's command "virtq": the rings of the virtio devices as they stand, and the chains in
 * them. */
#include "../virtio/virtio.h"
#include "control.h"

#define CHAINS_SHOWN 4

/* virtio_each() takes a function only. Guarded by vm->lock, which draw_virtq() is called with. */
static FILE *out;
static const char *wanted; /* a device's name; "": all */
static unsigned shown;

static void draw_status(const struct virtio_state *s)
{
    static const struct {
        uint32_t bit;
        const char *name;
    } bits[] = {{VIRTIO_STATUS_ACKNOWLEDGE, "ACKNOWLEDGE"}, {VIRTIO_STATUS_DRIVER, "DRIVER"},
                {VIRTIO_STATUS_FEATURES_OK, "FEATURES_OK"}, {VIRTIO_STATUS_DRIVER_OK, "DRIVER_OK"},
                {VIRTIO_STATUS_NEEDS_RESET, "NEEDS_RESET"}, {VIRTIO_STATUS_FAILED, "FAILED"}};

    fprintf(out, "  status");
    for (unsigned i = 0; i < COUNT(bits); i++)
        if (s->status & bits[i].bit)
            fprintf(out, " %s", bits[i].name);
    fprintf(out, "%s, features %lx\n", s->status ? "" : " 0 (reset)", s->features);
}

/* The buffers of a chain, in a line: 1000+16 -> 2000+512 W. A chain that leads nowhere ends there. */
static void draw_chain(struct vm *vm, const struct virtqueue *q, uint16_t head)
{
    uint16_t index = head;

    fprintf(out, "      chain %3u: ", head);
    for (unsigned n = 0; n < q->size; n++) {
        const struct desc *at =
            index < q->size ? guest_ptr(vm, q->desc + index * sizeof *at, sizeof *at) : NULL;
        if (!at) {
            fprintf(out, "descriptor %u is NOT IN THE TABLE\n", index);
            return;
        }
        struct desc d = *at;
        fprintf(out, "%lx+%u%s%s", d.gpa, d.len, d.flags & DESC_WRITE ? " W" : "",
                d.flags & DESC_INDIRECT ? " (a table)" : "");
        if (!(d.flags & DESC_NEXT)) {
            fputc('\n', out);
            return;
        }
        fprintf(out, " -> ");
        index = d.next;
    }
    fprintf(out, "AND SO ON, IN A CIRCLE\n");
}

static uint16_t read16(struct vm *vm, uint64_t gpa)
{
    const uint16_t *p = guest_ptr(vm, gpa, 2);

    return p ? __atomic_load_n(p, __ATOMIC_RELAXED) : 0;
}

/* A character for each place of the available ring: those that wait, and those that the device has and has
 * not given back, counted from the end. */
static void draw_places(const struct virtqueue *q, uint16_t avail, uint16_t in_device)
{
    fprintf(out, "    ring  [");
    for (uint16_t i = 0; i < q->size; i++) {
        uint16_t ahead = (uint16_t)((i - q->next_avail) & (q->size - 1)),
                 behind = (uint16_t)(q->size - ahead);
        fputc(ahead < (uint16_t)(avail - q->next_avail) ? 'A' : behind <= in_device ? 'd' : '.', out);
    }
    fprintf(out, "]\n");
}

static void draw_queue(struct vm *vm, const struct virtqueue *q, unsigned number)
{
    if (!q->ready || !virtq_valid(vm, q)) {
        fprintf(out, "  queue %u: not ready\n", number);
        return;
    }
    uint16_t avail = read16(vm, q->avail + 2), in_device = (uint16_t)(q->next_avail - q->next_used);
    uint16_t waiting = (uint16_t)(avail - q->next_avail);
    fprintf(out, "  queue %u: %u descriptors at %lx, available ring at %lx, used ring at %lx\n", number,
            q->size, q->desc, q->avail, q->used);
    fprintf(out, "    offered %u, taken %u, given back %u, told %u: %u wait, %u in the device\n", avail,
            q->next_avail, q->next_used, q->told_used, waiting, in_device);
    draw_places(q, avail, in_device);
    for (unsigned n = 0; n < CHAINS_SHOWN && n < q->size && n < avail; n++)
        draw_chain(vm, q, read16(vm, q->avail + 4 + 2 * ((uint16_t)(avail - 1 - n) & (q->size - 1u))));
}

static void draw_device(struct virtio_device *v)
{
    if (*wanted && strcmp(wanted, v->name) != 0)
        return;
    shown++;
    fprintf(out, "%s at %lx, interrupt line %u\n", v->name, v->gpa, v->line);
    draw_status(v->state);
    for (unsigned i = 0; i < v->type->queues; i++)
        draw_queue(v->vm, &v->state->queues[i], i);
}

static bool draw_virtq(struct vm *vm, const char *const *arguments, FILE *to)
{
    out = to;
    wanted = arguments[0];
    shown = 0;
    virtio_each(vm, draw_device);
    if (!shown)
        return fprintf(out, "there is no virtio device %s; 'devices' lists what there is", wanted), false;
    fprintf(out, "A: waits for the device   d: the device has it   .: free   W: the device writes there\n");
    return true;
}

CONTROL(virtq) = {"virtq", "[DEVICE]", "the rings of the virtio devices, and the chains in them", draw_virtq};
