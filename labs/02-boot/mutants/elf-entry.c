/* In: hypervisor/boot/pvh.c. Caught by: kvm_pvh.the_entry_is_that_of_the_note. Mistake: starts at e_entry,
 * which is for a boot loader that makes long mode itself. */
static int pvh_entry(const struct elf *elf, uint64_t *entry)
{
    *entry = elf->header.e_entry;
    return elf_segment_at(elf, *entry) ? 0 : -ENOEXEC;
}
