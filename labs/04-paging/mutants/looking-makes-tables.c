/* In: guestos/mm/paging.c. Caught by: unit_paging.looking_makes_no_table. Mistake: makes tables whoever asks.
 */
static pte_t *next_table(pte_t *entry, bool create)
{
    (void)create;
    if (!(*entry & PTE_PRESENT)) {
        uint64_t table = frame_alloc_zero();
        if (!table)
            return NULL;
        *entry = table | PTE_PRESENT | PTE_WRITE | PTE_USER;
    }
    return table_at(*entry);
}
