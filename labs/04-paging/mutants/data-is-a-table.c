/* In: guestos/mm/paging.c. Caught by: unit_paging.a_large_page_is_no_table. Mistake: takes the bytes of a
 * large page for entries. */
pte_t *pte_find(uint64_t pml4, uint64_t va, bool create)
{
    pte_t *table = phys_to_virt(pml4);

    for (int level = 3; level > 0; level--) {
        pte_t *entry = &table[index_at(va, level)];
        table = next_table(entry, create);
        if (!table)
            return NULL;
    }
    return &table[index_at(va, 0)];
}
