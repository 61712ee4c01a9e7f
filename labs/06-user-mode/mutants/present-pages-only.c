/* In: guestos/proc/vm.c. Caught by: unit_fork.a_page_that_nobody_may_use_is_forked_too. Mistake: forgets
 * pages that mprotect() has closed for now. */
static int fork_pages(struct address_space *from, struct address_space *to, const struct area *area)
{
    pte_t *entry;

    for_each_page (from, page, entry, area) {
        if (!(*entry & PTE_PRESENT))
            continue;
        if (!area->shared && (*entry & PTE_WRITE))
            *entry = (*entry & ~PTE_WRITE) | PTE_COW;
        if (page_map(to->pml4, page, *entry & PTE_ADDRESS, *entry & ~PTE_ADDRESS) != 0)
            return -ENOMEM;
        frame_get(*entry & PTE_ADDRESS);
        to->resident++;
    }
    return 0;
}
