/* In: hypervisor/bus.c. Caught by: unit_bus.sizes_that_the_device_does_not_take_are_unclaimed. Mistake: takes
 * 3 for one of the bits, where it is those of 1 and 2. */
static struct bus_claim *bus_find(struct bus *bus, uint64_t addr, unsigned size)
{
    for (struct bus_claim *c = bus->claims; c < bus->claims + bus->count; c++) {
        uint64_t offset = addr - c->base;
        if (offset < c->size && size <= c->size - offset)
            return (c->ops->sizes & size) == size ? c : NULL;
    }
    return NULL;
}
