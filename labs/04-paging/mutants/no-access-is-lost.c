/* In: guestos/mm/paging.c. Caught by: unit_paging.a_page_that_nobody_may_use_still_has_a_frame. Mistake:
 * takes an entry without P for empty, and the frame in it is lost. */
uint64_t page_unmap(uint64_t pml4, uint64_t va)
{
    pte_t *entry = pte_find(pml4, va, false);

    if (!entry || !(*entry & PTE_PRESENT))
        return 0;
    uint64_t physical = *entry & PTE_ADDRESS;
    *entry = 0;
    tlb_flush_page(va);
    return physical;
}
