/* In: guestos/drivers/virtio_event_idx.c. Caught by:
 * unit_event_idx.the_device_is_told_when_its_entry_is_among_the_new_ones. Mistake: one entry too early: the
 * one at next is not there. */
static bool passed(uint16_t entry, uint16_t before, uint16_t next)
{
    return (uint16_t)(next - entry) <= (uint16_t)(next - before);
}
