/* In: guestos/mm/paging.c. Caught by: unit_paging.tables_themselves_allow_everything. Mistake: makes tables
 * that forbid writing to all pages below. */
static pte_t *next_table(pte_t *entry, bool create)
{
    if (!(*entry & PTE_PRESENT)) {
        uint64_t table = create ? frame_alloc_zero() : 0;
        if (!table)
            return NULL;
        *entry = table | PTE_PRESENT | PTE_USER;
    }
    return table_at(*entry);
}
