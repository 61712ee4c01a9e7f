/* In: guestos/mm/paging.c. Caught by: unit_paging.an_unmapped_page_is_gone_and_the_cpu_forgets_it. Mistake:
 * gives INVLPG the physical address. */
uint64_t page_unmap(uint64_t pml4, uint64_t va)
{
    pte_t *entry = pte_find(pml4, va, false);

    if (!entry || !*entry)
        return 0;
    uint64_t physical = *entry & PTE_ADDRESS;
    *entry = 0;
    tlb_flush_page(physical);
    return physical;
}
