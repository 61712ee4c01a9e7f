/* In: hypervisor/virtio/blk.c. Caught by: unit_virtio_blk.an_error_of_the_file_is_an_io_error,
 * unit_virtio_blk.the_last_sector_is_the_last. Mistake: the status is OK, whatever happened. */
void blk_done(struct blk_request *r, int error)
{
    struct disk *disk = r->disk;

    (void)error;
    if (r->run == disk->device.run) {
        *r->status = STATUS_OK;
        virtq_push(&disk->device, 0, r->head, r->chain.in_bytes);
    }
    r->next = disk->free;
    disk->free = r;
}
