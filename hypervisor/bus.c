/* The buses: route every port and memory-mapped access to the device that claimed the address. */
#include <errno.h>
#include <string.h>
#include "feature.h"

int bus_claim(struct bus *bus, uint64_t base, uint64_t size, const char *name, const struct bus_ops *ops,
              void *dev)
{
    if (size == 0 || base + size - 1 < base)
        return complain(-EINVAL, "%s: claims an empty or wrapping range at %s 0x%llx", name, bus->kind,
                        (unsigned long long)base);
    for (unsigned i = 0; i < bus->count; i++) {
        const struct bus_claim *c = &bus->claims[i];
        if (base <= c->base + (c->size - 1) && c->base <= base + (size - 1))
            return complain(-EEXIST, "%s: %s 0x%llx belongs to %s already", name, bus->kind,
                            (unsigned long long)base, c->name);
    }
    if (bus->count == sizeof bus->claims / sizeof bus->claims[0])
        return complain(-ENOSPC, "%s: all %u claims on the %s bus are taken", name, bus->count, bus->kind);
    bus->claims[bus->count++] = (struct bus_claim){base, size, name, ops, dev, 0, 0};
    return 0;
}

/* The claim that holds all of [addr, addr + size) and takes accesses of this size, or NULL. */
static struct bus_claim *bus_find(struct bus *bus, uint64_t addr, unsigned size)
{
    for (unsigned i = 0; i < bus->count; i++) {
        struct bus_claim *c = &bus->claims[i];
        uint64_t offset = addr - c->base;
        if (offset < c->size && size <= c->size - offset)
            return (c->ops->sizes & size) == size ? c : NULL; /* an odd size has several bits: never taken */
    }
    return NULL;
}

static void bus_read(struct vm *vm, struct bus_claim *c, const struct bus_access *a)
{
    uint8_t *item = a->data;

    for (unsigned i = 0; i < a->count; i++, item += a->size) {
        uint64_t value = c && c->ops->read ? c->ops->read(vm, c->dev, a->addr - c->base, a->size) : ~0ull;
        memcpy(item, &value, a->size);
    }
}

static void bus_write(struct vm *vm, struct bus_claim *c, const struct bus_access *a)
{
    const uint8_t *item = a->data;

    if (!c || !c->ops->write)
        return;
    if (c->ops->write_string) {
        c->ops->write_string(vm, c->dev, a->addr - c->base, a->data, a->size, a->count);
        return;
    }
    for (unsigned i = 0; i < a->count; i++, item += a->size) {
        uint64_t value = 0;
        memcpy(&value, item, a->size);
        c->ops->write(vm, c->dev, a->addr - c->base, value, a->size);
    }
}

void bus_access(struct vm *vm, struct bus *bus, const struct bus_access *access)
{
    pthread_mutex_lock(&vm->lock);
    struct bus_claim *c = bus_find(bus, access->addr, access->size);
    uint64_t start = vm->timed ? host_now() : 0;
    if (access->is_write)
        bus_write(vm, c, access);
    else
        bus_read(vm, c, access);
    if (c) {
        c->accesses += access->count;
        c->ns += vm->timed ? host_now() - start : 0;
    }
    pthread_mutex_unlock(&vm->lock);
}
