/* In: guestos/mm/paging.c. Caught by: unit_paging.every_table_is_freed_once. Mistake: frees page tables, and
 * not the tables above them. */
static void destroy_table(pte_t *table, int level, unsigned entries, void (*page)(pte_t entry))
{
    for (unsigned i = 0; i < entries; i++) {
        if (!table[i])
            continue;
        if (level == 0)
            page(table[i]);
        else
            destroy_table(table_at(table[i]), level - 1, ENTRIES, page);
    }
    if (level == 0)
        frame_put(virt_to_phys(table));
}
