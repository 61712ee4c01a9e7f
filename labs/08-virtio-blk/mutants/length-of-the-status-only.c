/* In: hypervisor/virtio/blk.c. Caught by: unit_virtio_blk.the_used_length_counts_data_and_status. Mistake:
 * the used length is 1 for the status, and the data of a read do not count. */
void blk_done(struct blk_request *r, int error)
{
    struct disk *disk = r->disk;

    if (r->run == disk->device.run) {
        *r->status = error ? STATUS_IOERR : STATUS_OK;
        virtq_push(&disk->device, 0, r->head, 1);
    }
    r->next = disk->free;
    disk->free = r;
}
