/* In: hypervisor/virtio/queue.c. Caught by:
 * unit_device_ring.indirect_tables_that_break_the_rules_break_the_device. Mistake: an indirect table may name
 * another one. */
static const char *enter_table(struct virtio_device *v, struct descs *descs, const struct desc *d)
{
    if (!virtio_has(v, VIRTIO_F_INDIRECT_DESC))
        return "is indirect, which was not negotiated";
    if (d->flags & DESC_NEXT)
        return "is indirect and has a next one";
    if (d->len == 0 || d->len % sizeof *d || d->len / sizeof *d > VIRTIO_QUEUE_SIZE_MAX)
        return "names an indirect table of a bad size";
    descs->table = guest_ptr(v->vm, d->gpa, d->len);
    descs->size = descs->left = d->len / sizeof *d;
    descs->indirect = true;
    return descs->table ? NULL : "names an indirect table outside RAM";
}
