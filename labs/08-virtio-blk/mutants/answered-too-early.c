/* In: hypervisor/virtio/blk.c. Caught by: unit_virtio_blk.the_file_comes_first_and_the_answer_after. Mistake:
 * gives the chain back before the file was read or written. */
static void start_and_wait(struct blk_request *r)
{
    if (r->type == BLK_FLUSH) {
        blk_done(r, fdatasync(r->disk->fd) < 0 ? -errno : 0);
        return;
    }
    blk_done(r, 0);
    transfer(r);
}
