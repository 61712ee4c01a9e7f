/* In: guestos/proc/vm.c. Caught by: unit_fork.what_cannot_be_written_is_not_copied_later. Mistake: marks
 * read-only pages for copying: a write to them would be allowed. */
static int fork_pages(struct address_space *from, struct address_space *to, const struct area *area)
{
    pte_t *entry;

    for_each_page (from, page, entry, area) {
        if (!area->shared)
            *entry = (*entry & ~PTE_WRITE) | PTE_COW;
        if (page_map(to->pml4, page, *entry & PTE_ADDRESS, *entry & ~PTE_ADDRESS) != 0)
            return -ENOMEM;
        frame_get(*entry & PTE_ADDRESS);
        to->resident++;
    }
    return 0;
}
