/* In: hypervisor/inspect/walk.c. Caught by: unit_walk.tables_outside_ram_are_reported. Mistake: blames CR3
 * for every table outside RAM. */
static const char *walk_levels(struct vm *vm, const struct kvm_sregs *sregs, const struct mode *m,
                               struct walk *w)
{
    uint64_t table = sregs->cr3 & m->root;

    for (unsigned level = m->top; level > 0 && !w->page_size; level--) {
        const uint64_t *entry = walk_step(vm, w, m, level, table);
        if (!entry)
            return "CR3 POINTS OUTSIDE RAM";
        if (!(*entry & PTE_P))
            return "NOT PRESENT";
        if (has_reserved_bits(sregs, m, level, *entry))
            return "A RESERVED BIT IS SET";
        if (m->top != 3 || level != 3) { /* the top entries of PAE carry no rights */
            w->writable &= !!(*entry & PTE_W);
            w->user &= !!(*entry & PTE_U);
            w->executable &= !(*entry & PTE_NX);
        }
        table = *entry & PTE_ADDR;
        if (is_leaf(sregs, m, level, *entry))
            w->page_size = 1ul << (12 + (level - 1) * m->bits);
    }
    w->gpa = (table & ~(w->page_size - 1)) | (w->gva & (w->page_size - 1));
    return NULL;
}
