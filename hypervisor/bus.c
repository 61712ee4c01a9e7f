/* The buses: route every port and memory-mapped access to the device that claimed the address. */
#include "vm.h"

int bus_claim(struct bus *bus, uint64_t base, uint64_t size, const char *name, const struct bus_ops *ops,
              void *dev)
{
    uint64_t last = base + size - 1;

    if (size == 0 || last < base)
        return complain(-EINVAL, "%s: claims an empty or wrapping range at %s 0x%lx", name, bus->kind, base);
    for (const struct bus_claim *c = bus->claims; c < bus->claims + bus->count; c++)
        if (base <= c->base + (c->size - 1) && c->base <= last)
            return complain(-EEXIST, "%s: %s 0x%lx belongs to %s already", name, bus->kind, base, c->name);
    if (bus->count == COUNT(bus->claims))
        return complain(-ENOSPC, "%s: all %u claims on the %s bus are taken", name, bus->count, bus->kind);
    bus->claims[bus->count++] = (struct bus_claim){base, size, name, ops, dev, 0, 0};
    return 0;
}

/* The claim that holds all of [addr, addr + size) and takes accesses of this size, or NULL. */
static struct bus_claim *bus_find(struct bus *bus, uint64_t addr, unsigned size)
{
    for (struct bus_claim *c = bus->claims; c < bus->claims + bus->count; c++) {
        uint64_t offset = addr - c->base;
        if (offset < c->size && size <= c->size - offset)
            return (c->ops->sizes & size) && !(size & (size - 1)) ? c : NULL; /* 3 has two of the bits */
    }
    return NULL;
}

static void bus_items(const struct bus_ops *ops, const struct access *a)
{
    uint8_t *item = a->data;

    for (unsigned i = 0; i < a->count; i++, item += a->size) {
        uint64_t value = 0;
        if (a->is_write && ops->write) {
            memcpy(&value, item, a->size);
            ops->write(a, value);
        } else if (!a->is_write) {
            value = ops->read ? ops->read(a) : ~0ul;
            memcpy(item, &value, a->size);
        }
    }
}

void bus_access(struct bus *bus, struct access a)
{
    static const struct bus_ops nobody;
    struct bus_claim none = {.ops = &nobody};

    pthread_mutex_lock(&a.vm->lock);
    uint64_t start = a.vm->timed ? host_now() : 0;
    struct bus_claim *c = bus_find(bus, a.offset, a.size) ?: &none;
    a.offset -= c->base;
    a.dev = c->dev;
    if (a.is_write && c->ops->write_string)
        c->ops->write_string(&a);
    else
        bus_items(c->ops, &a);
    c->accesses += a.count;
    c->ns += a.vm->timed ? host_now() - start : 0;
    pthread_mutex_unlock(&a.vm->lock);
}
