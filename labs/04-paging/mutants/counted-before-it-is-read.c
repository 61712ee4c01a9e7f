/* In: hypervisor/inspect/walk.c. Caught by: unit_walk.tables_outside_ram_are_reported. Mistake: counts a
 * level whose entry could not be read. */
static const uint64_t *walk_step(struct vm *vm, struct walk *w, const struct mode *m, unsigned level,
                                 uint64_t table)
{
    static const char *const names[] = {"", "PT", "PD", "PDPT", "PML4", "PML5"};
    unsigned entries = m->top == 3 && level == 3 ? 4 : 1u << m->bits;
    unsigned index = (unsigned)(w->gva >> (12 + (level - 1) * m->bits)) & (entries - 1);
    struct walk_level *l = &w->levels[w->count];

    *l = (struct walk_level){names[level], index, table + index * m->entry_size, 0};
    const void *entry = guest_ptr(vm, l->entry_gpa, m->entry_size);
    w->count++;
    if (!entry)
        return NULL;
    memcpy(&l->entry, entry, m->entry_size);
    return &l->entry;
}
