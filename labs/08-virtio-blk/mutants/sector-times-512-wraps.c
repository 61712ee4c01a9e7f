/* In: hypervisor/virtio/blk.c. Caught by: unit_virtio_blk.a_range_that_wraps_is_refused. Mistake: multiplies
 * the guest's sector by 512 without a check: 2^55 becomes sector 0. */
static bool request_parse(struct blk_request *r)
{
    struct iovec *out = r->chain.out;
    unsigned out_count = r->chain.out_count;
    struct blk_header header;

    if (r->chain.in_bytes == 0 || iov_take(&out, &out_count, &header, sizeof header) != sizeof header)
        return false;
    take_status(r);
    bool reads = header.type == BLK_IN || header.type == BLK_GET_ID;
    r->type = header.type;
    r->offset = header.sector * SECTOR;
    r->bytes = reads ? r->chain.in_bytes - 1 : r->chain.out_bytes - sizeof header;
    r->iov = reads ? r->chain.in : out;
    r->iov_count = reads ? r->chain.in_count : out_count;
    r->head = r->chain.head;
    r->run = r->disk->device.run;
    return true;
}
