/* In: hypervisor/inspect/walk.c. Caught by: unit_walk.reserved_bits_are_found. Mistake: lets a large page
 * begin at any 4 KiB. */
static bool has_reserved_bits(const struct kvm_sregs *sregs, const struct mode *m, unsigned level,
                              uint64_t entry)
{
    uint64_t reserved = missing_address_bits() | (sregs->efer & EFER_NXE ? 0 : PTE_NX);

    if (level > 3)
        reserved |= PTE_PS;
    return m->entry_size == 8 && entry & reserved;
}
