/* In: hypervisor/inspect/walk.c. Caught by: unit_walk.reserved_bits_are_found. Mistake: never takes NX for
 * reserved, with EFER.NXE off either. */
static bool has_reserved_bits(const struct kvm_sregs *sregs, const struct mode *m, unsigned level,
                              uint64_t entry)
{
    uint64_t reserved = missing_address_bits();

    if (level > 3)
        reserved |= PTE_PS;
    else if (level > 1 && is_leaf(sregs, m, level, entry))
        reserved |= ((1ul << (12 + (level - 1) * m->bits)) - 1) & ~0x1ffful; /* of a large page's address */
    return m->entry_size == 8 && entry & reserved;
}
