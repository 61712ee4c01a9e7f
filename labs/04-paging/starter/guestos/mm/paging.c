/*
 * The table (as a kernel address) that *entry leads to. If there is none: with `create`, a new and empty one
 * is put into *entry, which allows everything; otherwise, or if memory is used up (frame_alloc_zero() gives
 * 0), NULL, and *entry stays as it is. Intel SDM 3A §4.5, §4.6. Handout, section 4.9.
 */
static pte_t *next_table(pte_t *entry, bool create)
{
    (void)entry, (void)create;
    (void)table_at; /* yours to use */
    lab_todo(4, "next_table", "handout section 4.9");
    return NULL;
}

/*
 * Find the entry of the page at `va` in the page table, four levels down from the table at physical `pml4`;
 * paging.h says what `create` and NULL mean. A large page on the way has no such entry: panic, "address %lx
 * is in a large page". Intel SDM 3A §4.5. Handout, section 4.9.
 */
pte_t *pte_find(uint64_t pml4, uint64_t va, bool create)
{
    (void)pml4, (void)va, (void)create;
    (void)index_at, (void)next_table; /* yours to use */
    lab_todo(4, "pte_find", "handout section 4.9");
    return NULL;
}

/*
 * Take the page at `va` away, so that neither the tables nor this CPU know it any more. Returns the physical
 * address that was in the entry, or 0 if it was empty or there was no table. An entry without PTE_PRESENT may
 * hold a frame, too (PTE_NOACCESS). Intel SDM 3A §4.10.4.1. Handout, section 4.10.
 */
uint64_t page_unmap(uint64_t pml4, uint64_t va)
{
    (void)pml4, (void)va;
    return (uint64_t)lab_todo(4, "page_unmap", "handout section 4.10");
}

/*
 * Take apart `table`, of `level` (0: page table), by its first `entries` entries: call page() for every page
 * table entry that is not 0, free all tables below, and then this one. No table is in use any more, and none
 * has large pages. Handout, section 4.11.
 */
static void destroy_table(pte_t *table, int level, unsigned entries, void (*page)(pte_t entry))
{
    (void)table, (void)level, (void)entries, (void)page;
    lab_todo(4, "destroy_table", "handout section 4.11");
}
