/*
 * Refuse a segment that cannot be true: whose bytes lie beyond the end of the file (of file_size bytes), a
 * PT_NOTE of more than NOTES_MAX bytes, a PT_LOAD with more bytes in the file than in memory. Segments of
 * other types do not matter. Every number comes from the file: sums may wrap. Returns 0, or -ENOEXEC after
 * complain(). ELF specification, "Program Header". Handout, section 4.1.
 */
static int elf_check_segment(const struct elf *elf, unsigned i, uint64_t file_size)
{
    (void)elf, (void)i, (void)file_size;
    return lab_todo(2, "elf_check_segment", "handout section 4.1");
}

/*
 * Reserve the guest's memory for one PT_LOAD segment, and put the segment's bytes there, at its physical
 * address. What the file does not fill stays as it is: a new machine's RAM is zero. Returns 0 or a negative
 * errno. Handout, section 4.2.
 */
static int elf_load_segment(const struct elf *elf, const Elf64_Phdr *p, struct vm *vm)
{
    (void)elf, (void)p, (void)vm;
    return lab_todo(2, "elf_load_segment", "handout section 4.2");
}

/*
 * Look through one PT_NOTE segment for the note of this owner and type, and copy its descriptor, at most
 * `size` bytes, to desc. Returns how many bytes the descriptor has, -ENOENT if there is no such note,
 * -ENOEXEC if a note overruns its segment. ELF specification, "Note Section". Handout, section 4.3.
 */
static int find_in_segment(const struct elf *elf, const Elf64_Phdr *p, const char *owner, uint32_t type,
                           void *desc, size_t size)
{
    (void)elf, (void)p, (void)owner, (void)type, (void)desc, (void)size;
    return lab_todo(2, "find_in_segment", "handout section 4.3");
}
