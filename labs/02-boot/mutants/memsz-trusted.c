/* In: hypervisor/boot/elf.c. Caught by: unit_elf.malformed_kernels_are_refused. Mistake: does not compare
 * p_filesz with p_memsz, so that the file is read over the end of what was reserved. */
static int elf_check_segment(const struct elf *elf, unsigned i, uint64_t file_size)
{
    const Elf64_Phdr *p = &elf->segments[i];
    const struct check checks[] = {
        {p->p_offset <= file_size && p->p_filesz <= file_size - p->p_offset, "ends after the file"},
        {p->p_type != PT_NOTE || p->p_filesz <= NOTES_MAX, "has more than 1 MiB of notes"},
    };
    char where[32];

    snprintf(where, sizeof where, "segment %u ", i);
    return p->p_type == PT_LOAD || p->p_type == PT_NOTE ? elf_check(elf, checks, COUNT(checks), where) : 0;
}
