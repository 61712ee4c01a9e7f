/* In: hypervisor/virtio/blk.c. Caught by: unit_virtio_blk.a_flush_reaches_the_file. Mistake: takes a flush
 * for a transfer of no bytes, so that nothing becomes durable. */
static void start_and_wait(struct blk_request *r)
{
    blk_done(r, transfer(r));
}
