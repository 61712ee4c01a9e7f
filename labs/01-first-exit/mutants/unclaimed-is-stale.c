/* In: hypervisor/bus.c. Caught by: unit_bus.unclaimed_reads_give_all_ones. Mistake: a read that nobody
 * answers leaves what was in the buffer. */
static void bus_items(const struct bus_ops *ops, const struct access *a)
{
    uint8_t *item = a->data;

    for (unsigned i = 0; i < a->count; i++, item += a->size) {
        uint64_t value = 0;
        if (a->is_write && ops->write) {
            memcpy(&value, item, a->size);
            ops->write(a, value);
        } else if (!a->is_write && ops->read) {
            value = ops->read(a);
            memcpy(item, &value, a->size);
        }
    }
}
