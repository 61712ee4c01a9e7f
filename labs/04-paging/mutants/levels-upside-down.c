/* In: guestos/mm/paging.c. Caught by: unit_paging.missing_tables_are_made. Mistake: uses the lowest nine bits
 * of the page number at the top level. */
pte_t *pte_find(uint64_t pml4, uint64_t va, bool create)
{
    pte_t *table = phys_to_virt(pml4);

    for (int level = 3; level > 0; level--) {
        pte_t *entry = &table[index_at(va, 3 - level)];
        if ((*entry & PTE_PRESENT) && (*entry & PTE_LARGE))
            panic("address %lx is in a large page, which has no entry of 4 KiB", va);
        table = next_table(entry, create);
        if (!table)
            return NULL;
    }
    return &table[index_at(va, 3)];
}
