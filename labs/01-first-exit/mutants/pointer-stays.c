/* In: hypervisor/bus.c. Caught by: unit_bus.string_input_fills_successive_items_from_one_port,
 * unit_bus.string_output_takes_successive_items_to_one_port. Mistake: every item of a string comes from the
 * first place. */
static void bus_items(const struct bus_ops *ops, const struct access *a)
{
    uint8_t *item = a->data;

    for (unsigned i = 0; i < a->count; i++) {
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
