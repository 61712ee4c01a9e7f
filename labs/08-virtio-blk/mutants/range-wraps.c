/* In: hypervisor/virtio/blk.c. Caught by: unit_virtio_blk.a_range_that_wraps_is_refused. Mistake: adds two
 * numbers of the guest, and compares a sum that has wrapped. */
static bool on_disk(const struct disk *disk, uint64_t sector, uint64_t bytes)
{
    return sector * SECTOR + bytes <= disk->size;
}
