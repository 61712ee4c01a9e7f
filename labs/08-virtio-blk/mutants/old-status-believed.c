/* In: guestos/drivers/virtio_blk.c. Caught by: unit_blk_driver.a_read_that_fell_short_is_eio. Mistake:
 * believes a status byte that the device, by its own count, has not written. */
static int result(const struct slot *slot, uint32_t written)
{
    (void)written;
    return slot->status == STATUS_OK ? 0 : -EIO;
}
