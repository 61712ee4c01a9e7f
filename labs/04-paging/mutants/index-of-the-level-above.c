/* In: hypervisor/inspect/walk.c. Caught by: unit_walk.nine_bits_of_the_address_are_each_levels_index,
 * unit_walk.old_32_bit_paging_has_two_levels. Mistake: counts levels from 0 where they are counted from 1,
 * and shifts nine bits too far. */
static const uint64_t *walk_step(struct vm *vm, struct walk *w, const struct mode *m, unsigned level,
                                 uint64_t table)
{
    static const char *const names[] = {"", "PT", "PD", "PDPT", "PML4", "PML5"};
    unsigned entries = m->top == 3 && level == 3 ? 4 : 1u << m->bits;
    unsigned index = (unsigned)(w->gva >> (12 + level * m->bits)) & (entries - 1);
    struct walk_level *l = &w->levels[w->count];

    *l = (struct walk_level){names[level], index, table + index * m->entry_size, 0};
    const void *entry = guest_ptr(vm, l->entry_gpa, m->entry_size);
    if (!entry)
        return NULL;
    memcpy(&l->entry, entry, m->entry_size);
    w->count++;
    return &l->entry;
}
