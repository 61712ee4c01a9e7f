/* In: guestos/drivers/virtio_event_idx.c. Caught by: unit_event_idx.positions_wrap_at_65536. Mistake:
 * compares positions as if they never wrapped. */
static bool passed(uint16_t entry, uint16_t before, uint16_t next)
{
    return entry >= before && entry < next;
}
