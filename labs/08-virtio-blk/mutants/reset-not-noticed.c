/* In: hypervisor/virtio/blk.c. Caught by: unit_virtio_blk.what_an_earlier_run_began_is_forgotten. Mistake:
 * answers a request of before a reset into the rings of after it. */
void blk_done(struct blk_request *r, int error)
{
    struct disk *disk = r->disk;

    *r->status = error ? STATUS_IOERR : STATUS_OK;
    virtq_push(&disk->device, 0, r->head, r->chain.in_bytes);
    r->next = disk->free;
    disk->free = r;
}
