/* In: hypervisor/virtio/blk.c. Caught by: unit_virtio_blk.a_transfer_in_pieces_is_finished. Mistake: believes
 * that one call moves all the bytes, and does not look at how many it moved. */
/* removed: transfer */
static void start_and_wait(struct blk_request *r)
{
    ssize_t n;

    if (r->type == BLK_FLUSH)
        n = fdatasync(r->disk->fd);
    else if (r->type == BLK_IN)
        n = preadv(r->disk->fd, r->iov, (int)r->iov_count, (off_t)r->offset);
    else
        n = pwritev(r->disk->fd, r->iov, (int)r->iov_count, (off_t)r->offset);
    blk_done(r, n < 0 ? -errno : 0);
}
