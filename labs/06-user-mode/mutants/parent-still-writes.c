/* In: guestos/proc/vm.c. Caught by: unit_fork.neither_side_can_write_to_a_shared_page. Mistake: only the
 * child's entry becomes read-only. */
static int fork_pages(struct address_space *from, struct address_space *to, const struct area *area)
{
    pte_t *entry;

    for_each_page (from, page, entry, area) {
        pte_t flags = *entry & ~PTE_ADDRESS;
        if (!area->shared && (flags & PTE_WRITE))
            flags = (flags & ~PTE_WRITE) | PTE_COW;
        if (page_map(to->pml4, page, *entry & PTE_ADDRESS, flags) != 0)
            return -ENOMEM;
        frame_get(*entry & PTE_ADDRESS);
        to->resident++;
    }
    return 0;
}
