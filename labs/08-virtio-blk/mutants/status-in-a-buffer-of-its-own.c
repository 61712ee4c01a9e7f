/* In: hypervisor/virtio/blk.c. Caught by: unit_virtio_blk.buffers_may_be_cut_anywhere. Mistake: writes the
 * status to the first byte of the last buffer, as if it always had one of its own. */
/* removed: take_status */
static bool request_parse(struct blk_request *r)
{
    struct iovec *out = r->chain.out;
    unsigned out_count = r->chain.out_count;
    struct blk_header header;

    if (r->chain.in_bytes == 0 || iov_take(&out, &out_count, &header, sizeof header) != sizeof header)
        return false;
    bool reads = header.type == BLK_IN || header.type == BLK_GET_ID;
    r->type = header.type;
    r->offset = header.sector <= UINT64_MAX / SECTOR ? header.sector * SECTOR : UINT64_MAX - SECTOR + 1;
    r->status = r->chain.in[r->chain.in_count - 1].iov_base;
    r->bytes = reads ? r->chain.in_bytes - 1 : r->chain.out_bytes - sizeof header;
    r->iov = reads ? r->chain.in : out;
    r->iov_count = reads ? r->chain.in_count - 1 : out_count;
    r->head = r->chain.head;
    r->run = r->disk->device.run;
    return true;
}
