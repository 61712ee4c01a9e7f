/* In: hypervisor/bus.c. Caught by: unit_bus.string_input_fills_successive_items_from_one_port,
 * unit_bus.string_output_takes_successive_items_to_one_port. Mistake: adds the item's size to the port as
 * well as to the data pointer. */
static void bus_items(const struct bus_ops *ops, const struct access *a)
{
    struct access b = *a;
    uint8_t *item = a->data;

    for (unsigned i = 0; i < a->count; i++, item += a->size, b.offset += a->size) {
        uint64_t value = 0;
        if (b.offset > 7)
            ops = &(const struct bus_ops){0};
        if (a->is_write && ops->write) {
            memcpy(&value, item, a->size);
            ops->write(&b, value);
        } else if (!a->is_write) {
            value = ops->read ? ops->read(&b) : ~0ul;
            memcpy(item, &value, a->size);
        }
    }
}
