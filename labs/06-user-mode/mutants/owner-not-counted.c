/* In: guestos/proc/vm.c. Caught by: unit_fork.a_fork_shares_every_page. Mistake: maps a frame twice and
 * counts it once: freed while it is mapped. */
static int fork_pages(struct address_space *from, struct address_space *to, const struct area *area)
{
    pte_t *entry;

    for_each_page (from, page, entry, area) {
        if (!area->shared && (*entry & PTE_WRITE))
            *entry = (*entry & ~PTE_WRITE) | PTE_COW;
        if (page_map(to->pml4, page, *entry & PTE_ADDRESS, *entry & ~PTE_ADDRESS) != 0)
            return -ENOMEM;
        to->resident++;
    }
    return 0;
}
