/* removed: transfer take_status */

/*
 * A request has ended, with 0 or a negative errno: write its status byte (OK or IOERR), give its chain back
 * with the number of bytes that were written to the guest, and put the request into disk->free. If the device
 * was reset since the request was begun (r->run), its chain and its status byte are not ours any more: only
 * the last of these then. Virtio 1.2 §5.2.6, §2.7.8. Handout, section 4.5.
 */
void blk_done(struct blk_request *r, int error)
{
    (void)r, (void)error;
    lab_todo(8, "blk_done", "handout section 4.5");
}

/*
 * Carry out a BLK_IN, BLK_OUT or BLK_FLUSH that was checked, wait for the file, and only then call blk_done()
 * with 0 or -errno. r->iov and r->iov_count have the guest's buffers, r->offset is a number of bytes. The
 * host may move less than it was asked for (then go on), nothing (-EIO: somebody made the file shorter), or
 * be interrupted (EINTR: try again). A flush is durable when it is done. preadv(2), pwritev(2), fdatasync(2).
 * Handout, section 4.4.
 */
static void start_and_wait(struct blk_request *r)
{
    (void)r;
    lab_todo(8, "start_and_wait", "handout section 4.4");
}

/*
 * Are `bytes` bytes from sector `sector` on all on the disk, which has disk->size bytes? Both numbers are the
 * guest's and may be anything. Handout, section 4.2.
 */
static bool on_disk(const struct disk *disk, uint64_t sector, uint64_t bytes)
{
    (void)disk, (void)sector, (void)bytes;
    lab_todo(8, "on_disk", "handout section 4.2");
    return false;
}

/*
 * A BLK_IN or BLK_OUT has come. End it with -EINVAL if it is no whole number of sectors, is not on the disk,
 * or would write a read-only disk; else hand it to r->disk->start(). Virtio 1.2 §5.2.6.2. Handout,
 * section 4.3.
 */
static void transfer_start(struct blk_request *r)
{
    (void)r;
    lab_todo(8, "transfer_start", "handout section 4.3");
}

/*
 * Find the header, the data and the status in r->chain, and fill in r->type, offset (bytes; where that would
 * wrap, a multiple of SECTOR that is on no disk), bytes (of data), iov, iov_count (the data), status, head
 * and run. The header is the first 16 bytes that we may read, the status the last one that we may write,
 * however the driver cut them into buffers. BLK_IN and BLK_GET_ID have their data where we write, the others
 * where we read. Returns false if header or status are missing. Virtio 1.2 §5.2.6, §2.7.4. Handout,
 * section 4.1.
 */
static bool request_parse(struct blk_request *r)
{
    (void)r;
    lab_todo(8, "request_parse", "handout section 4.1");
    return false;
}
