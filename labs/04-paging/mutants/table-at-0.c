/* In: guestos/mm/paging.c. Caught by: unit_paging.used_up_memory_gives_null. Mistake: makes a table at
 * physical 0 when memory is used up. */
static pte_t *next_table(pte_t *entry, bool create)
{
    if (!(*entry & PTE_PRESENT)) {
        uint64_t table = create ? frame_alloc_zero() : 0;
        *entry = table | PTE_PRESENT | PTE_WRITE | PTE_USER;
        if (!table)
            return NULL;
    }
    return table_at(*entry);
}
