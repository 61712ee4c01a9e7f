/* In: hypervisor/virtio/blk.c. Caught by: unit_virtio_blk.a_read_only_disk_stays_as_it_is. Mistake: offers
 * VIRTIO_BLK_F_RO, and trusts the driver to respect it. */
static void transfer_start(struct blk_request *r)
{
    if (r->bytes % SECTOR || !on_disk(r->disk, r->offset / SECTOR, r->bytes))
        blk_done(r, -EINVAL);
    else
        r->disk->start(r);
}
