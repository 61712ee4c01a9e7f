/* In: hypervisor/virtio/blk.c. Caught by: unit_virtio_blk.the_last_sector_is_the_last. Mistake: checks where
 * the request begins, and not where it ends. */
static bool on_disk(const struct disk *disk, uint64_t sector, uint64_t bytes)
{
    (void)bytes;
    return sector < disk->size / SECTOR;
}
