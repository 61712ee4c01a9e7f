/* In: guestos/mm/paging.c. Caught by: unit_paging.every_page_is_given_back_once. Mistake: frees a table, and
 * reads its entries afterwards. */
static void destroy_table(pte_t *table, int level, unsigned entries, void (*page)(pte_t entry))
{
    frame_put(virt_to_phys(table));
    for (unsigned i = 0; i < entries; i++) {
        if (!table[i])
            continue;
        if (level == 0)
            page(table[i]);
        else
            destroy_table(table_at(table[i]), level - 1, ENTRIES, page);
    }
}
