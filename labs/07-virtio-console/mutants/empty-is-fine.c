/* In: hypervisor/virtio/queue.c. Caught by: unit_device_ring.buffers_outside_ram_break_the_device. Mistake:
 * lets a buffer without a byte through. */
static const char *add_buffer(struct virtio_device *v, struct chain *chain, const struct desc *d)
{
    void *data = guest_ptr(v->vm, d->gpa, d->len);
    bool write = d->flags & DESC_WRITE;

    if (!data)
        return "is not in RAM";
    if (!write && chain->in_count)
        return "is for reading, behind one for writing"; /* §2.7.4.2 */
    struct iovec *iov = write ? &chain->in[chain->in_count++] : &chain->out[chain->out_count++];
    *iov = (struct iovec){data, d->len};
    *(write ? &chain->in_bytes : &chain->out_bytes) += d->len;
    return NULL;
}
