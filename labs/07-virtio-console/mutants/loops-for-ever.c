/* In: hypervisor/virtio/queue.c. Caught by: unit_device_ring.chains_that_lead_nowhere_break_the_device.
 * Mistake: a chain that leads back to its beginning is followed until its buffers have filled the device's
 * arrays. */
static const char *walk_chain(struct virtio_device *v, struct descs *descs, struct chain *chain,
                              unsigned index, struct desc *d)
{
    const char *fault = NULL;

    while (!fault) {
        if (index >= descs->size)
            return "names a next one beyond the table";
        if (chain->out_count + chain->in_count == VIRTIO_QUEUE_SIZE_MAX)
            return "is one too many";
        memcpy(d, &descs->table[index], sizeof *d); /* copied once: the guest may change it while we look */
        index = d->next;
        if (d->flags & DESC_INDIRECT) {
            fault = enter_table(v, descs, d);
            index = 0;
            continue;
        }
        fault = add_buffer(v, chain, d);
        if (!(d->flags & DESC_NEXT))
            return fault;
    }
    return fault;
}
