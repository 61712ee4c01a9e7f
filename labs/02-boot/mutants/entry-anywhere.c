/* In: hypervisor/boot/pvh.c. Caught by: kvm_pvh.an_entry_that_cannot_be_is_refused. Mistake: does not look
 * where the entry leads. */
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
    return n < 0 ? n : 0;
}
