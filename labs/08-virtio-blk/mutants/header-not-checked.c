/* In: hypervisor/virtio/blk.c. Caught by: unit_virtio_blk.requests_without_header_or_status_break_the_device.
 * Mistake: takes the first buffer for the header, whatever its length. */
static bool request_parse(struct blk_request *r)
{
    const struct blk_header *header = r->chain.out[0].iov_base;

    if (r->chain.in_bytes == 0)
        return false;
    take_status(r);
    bool reads = header->type == BLK_IN || header->type == BLK_GET_ID;
    r->type = header->type;
    r->offset = header->sector <= UINT64_MAX / SECTOR ? header->sector * SECTOR : UINT64_MAX - SECTOR + 1;
    r->bytes = reads ? r->chain.in_bytes - 1 : r->chain.out_bytes - sizeof *header;
    r->iov = reads ? r->chain.in : r->chain.out + 1;
    r->iov_count = reads ? r->chain.in_count : r->chain.out_count - 1;
    r->head = r->chain.head;
    r->run = r->disk->device.run;
    return true;
}
