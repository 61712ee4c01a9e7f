/* In: hypervisor/boot/pvh.c. Caught by: kvm_pvh.an_entry_that_cannot_be_is_refused. Mistake: takes any
 * segment for the code. */
static int pvh_entry(const struct elf *elf, uint64_t *entry)
{
    *entry = 0;
    int n = elf_find_note(elf, "Xen", XEN_ELFNOTE_PHYS32_ENTRY, entry, sizeof *entry);
    if (n == -ENOENT)
        return complain(-ENOEXEC,
                        "%s: has no PVH note (owner \"Xen\", type 18), so it does not say where it starts",
                        elf->name);
    if (n >= 0 && n != 4 && n != 8)
        return complain(-ENOEXEC, "%s: the PVH note has %d bytes; an address of 4 or 8 was expected",
                        elf->name, n);
    const Elf64_Phdr *p = elf_segment_at(elf, *entry);
    if (n >= 0 && (!p || *entry > UINT32_MAX))
        return complain(-ENOEXEC, "%s: the PVH entry 0x%lx is not in an executable segment below 4 GiB",
                        elf->name, *entry);
    return n < 0 ? n : 0;
}
