/* In: guestos/mm/paging.c. Caught by: unit_paging.every_page_is_given_back_once. Mistake: forgets pages whose
 * P bit is clear and which have a frame all the same. */
static void destroy_table(pte_t *table, int level, unsigned entries, void (*page)(pte_t entry))
{
    for (unsigned i = 0; i < entries; i++) {
        if (!(table[i] & PTE_PRESENT))
            continue;
        if (level == 0)
            page(table[i]);
        else
            destroy_table(table_at(table[i]), level - 1, ENTRIES, page);
    }
    frame_put(virt_to_phys(table));
}
