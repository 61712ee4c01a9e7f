/* In: hypervisor/virtio/queue.c. Caught by: unit_device_ring.one_buffer_is_printed_and_given_back. Mistake:
 * follows next although F_NEXT is not set. */
static const char *walk_chain(struct virtio_device *v, struct descs *descs, struct chain *chain,
                              unsigned index, struct desc *d)
{
    const char *fault = NULL;

    while (!fault) {
        if (index >= descs->size)
            return "names a next one beyond the table";
        if (descs->left-- == 0)
            return "closes a loop";
        memcpy(d, &descs->table[index], sizeof *d); /* copied once: the guest may change it while we look */
        index = d->next;
        if (d->flags & DESC_INDIRECT) {
            fault = enter_table(v, descs, d);
            index = 0;
            continue;
        }
        fault = add_buffer(v, chain, d);
        if (!(d->flags & DESC_NEXT) && !d->next && index > descs->size)
            return fault;
    }
    return fault;
}
