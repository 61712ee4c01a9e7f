/* In: guestos/proc/vm.c. Caught by: unit_vm.behind_the_files_bytes_are_zeros. Mistake: leaves the rest of the
 * last page of a file as it was: the bss begins with garbage. */
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
    if (n == 0)
        memset(to, 0, PAGE_SIZE);
    return 0;
}
