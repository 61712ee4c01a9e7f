/* In: guestos/proc/vm.c. Caught by: unit_vm.fresh_memory_is_zeros, unit_vm.behind_the_files_bytes_are_zeros.
 * Mistake: hands out a frame with what another program left in it. */
static int fill_page(const struct area *area, uint64_t page, uint64_t frame)
{
    char *to = phys_to_virt(frame);
    uint64_t end = MIN(area->file_end, page + PAGE_SIZE);
    ssize_t n = 0;

    if (area->vnode && end > page) {
        n = vnode_read(area->vnode, to, end - page, area->offset + (page - area->start));
        if (n < 0)
            return n;
        if (n == 0)
            return -EIO; /* a page wholly beyond the end of its file */
    }
    if (area->vnode && n)
        memset(to + n, 0, PAGE_SIZE - n);
    return 0;
}
