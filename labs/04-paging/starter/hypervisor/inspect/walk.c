/*
 * Does the entry of `level` (1: page table) have a bit that must be zero? missing_address_bits(), in every
 * entry; NX, while EFER.NXE is off; PS above the PDPT (level > 3); in an entry that maps a large page, the
 * bits of its address from 13 up to the page's size. Entries of 4 bytes have none that matter here. Intel
 * SDM 3A §4.5. Handout, section 4.3.
 */
static bool has_reserved_bits(const struct kvm_sregs *sregs, const struct mode *m, unsigned level,
                              uint64_t entry)
{
    (void)sregs, (void)m, (void)level, (void)entry;
    (void)missing_address_bits; /* yours to use */
    lab_todo(4, "has_reserved_bits", "handout section 4.3");
    return false;
}

/*
 * The page is mapped, and w->user, w->writable, w->executable are what all levels together allow. Do they
 * allow this access (WALK_xxx bits; none: the kernel reads)? CR0.WP, CR4.SMEP and CR4.SMAP count. Returns
 * NULL if they do, else why not: "KERNEL ONLY", "NO-EXECUTE", "SMEP", "SMAP", "READ-ONLY", each with a word
 * of explanation. Intel SDM 3A §4.6.1. Handout, section 4.4.
 */
static const char *denied(const struct walk *w, const struct kvm_sregs *sregs, unsigned access)
{
    (void)w, (void)sregs, (void)access;
    lab_todo(4, "denied", "handout section 4.4");
    return "NOT KNOWN (denied() is yours to write)";
}

/*
 * Read the entry of `level` (1: page table ... m->top) for w->gva from the table at guest-physical `table`.
 * w->levels[w->count] gets the level's name, the index, where the entry lies, and the entry (of
 * m->entry_size bytes); w->count then counts it. A table has 2^m->bits entries, the top one of PAE (m->top
 * 3, level 3) has 4. Returns the entry, or NULL, not counted, if it is not in the guest's RAM. Intel SDM 3A
 * §4.5. Handout, section 4.1.
 */
static const uint64_t *walk_step(struct vm *vm, struct walk *w, const struct mode *m, unsigned level,
                                 uint64_t table)
{
    (void)vm, (void)w, (void)m, (void)level, (void)table;
    lab_todo(4, "walk_step", "handout section 4.1");
    return NULL;
}

/*
 * Go from the table in CR3 (its bits m->root) level by level down to the page of w->gva. Keep in w->writable,
 * user and executable what all entries on the way allow (those of PAE's top table have no rights); where a
 * page is mapped, is_leaf(), set w->page_size (bytes) and w->gpa (of the byte). Returns NULL, or why there is
 * no page: "CR3 POINTS OUTSIDE RAM", "THE NEXT TABLE IS OUTSIDE RAM", "NOT PRESENT", "A RESERVED BIT IS SET".
 * The tables are the guest's, and may say anything. Intel SDM 3A §4.5. Handout, section 4.2.
 */
static const char *walk_levels(struct vm *vm, const struct kvm_sregs *sregs, const struct mode *m,
                               struct walk *w)
{
    (void)vm, (void)sregs, (void)m, (void)w;
    (void)walk_step, (void)has_reserved_bits, (void)is_leaf; /* yours to use */
    lab_todo(4, "walk_levels", "handout section 4.2");
    return "NOT KNOWN (walk_levels() is yours to write)";
}
