/* In: guestos/drivers/virtio_blk.c. Caught by: unit_blk_driver.an_error_of_the_device_is_eio. Mistake: looks
 * at the length that came back, and not at the status. */
static int result(const struct slot *slot, uint32_t written)
{
    uint32_t expected = (slot->request->op == BLOCK_READ ? slot->request->bytes : 0) + sizeof(slot->status);

    return written == expected ? 0 : -EIO;
}
