/*
 * Give the device a request, in a slot whose header and status are used for it: the header with this type and
 * sector, `bytes` bytes of data (0: none) that the device reads (TYPE_OUT) or writes, and one byte for the
 * status. The slot is the token. Returns virtqueue_add's result. Virtio 1.2 §5.2.6. Handout, section 4.6.
 */
static int give(struct disk *disk, struct slot *slot, uint32_t type, uint64_t sector, void *data,
                uint32_t bytes)
{
    (void)disk, (void)slot, (void)type, (void)sector, (void)data, (void)bytes;
    return lab_todo(8, "give", "handout section 4.6");
}

/*
 * How the request in this slot ended, if the device says that it wrote `written` bytes to it: 0, or -EIO if
 * its status is not OK or cannot have been written. Virtio 1.2 §5.2.6, §2.7.8. Handout, section 4.7.
 */
static int result(const struct slot *slot, uint32_t written)
{
    (void)slot, (void)written;
    return lab_todo(8, "result", "handout section 4.7");
}
