/* In: hypervisor/bus.c. Caught by: unit_bus.an_access_must_lie_wholly_in_the_claim. Mistake: looks at the
 * first byte of the access only. */
static struct bus_claim *bus_find(struct bus *bus, uint64_t addr, unsigned size)
{
    for (struct bus_claim *c = bus->claims; c < bus->claims + bus->count; c++)
        if (addr - c->base < c->size)
            return (c->ops->sizes & size) && !(size & (size - 1)) ? c : NULL;
    return NULL;
}
