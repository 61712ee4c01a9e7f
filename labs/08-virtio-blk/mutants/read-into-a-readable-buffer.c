/* In: guestos/drivers/virtio_blk.c. Caught by: unit_blk_driver.a_read_is_a_header_a_buffer_and_a_status.
 * Mistake: the device may only read the data's buffer, for a read of the disk, too. */
static int give(struct disk *disk, struct slot *slot, uint32_t type, uint64_t sector, void *data,
                uint32_t bytes)
{
    struct virtqueue_buffer buffers[3] = {{&slot->header, sizeof(slot->header)}};
    unsigned count = 1;

    slot->header.type = type;
    slot->header.sector = sector;
    if (bytes)
        buffers[count++] = (struct virtqueue_buffer){data, bytes};
    buffers[count] = (struct virtqueue_buffer){&slot->status, sizeof(slot->status)};
    return virtqueue_add(disk->queue, buffers, count, 1, slot);
}
