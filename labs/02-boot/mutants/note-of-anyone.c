/* In: hypervisor/boot/elf.c. Caught by: unit_elf.malformed_kernels_are_refused. Mistake: looks at the type of
 * a note only; types are numbered by each owner anew. */
static int find_in_segment(const struct elf *elf, const Elf64_Phdr *p, const char *owner, uint32_t type,
                           void *desc, size_t size)
{
    uint64_t at = p->p_offset, end = at + p->p_filesz;
    (void)owner;
    Elf64_Nhdr note;

    while (end - at >= sizeof note) {
        if (host_read_at(elf->fd, &note, sizeof note, at) < 0)
            return -EIO;
        uint64_t desc_at = at + sizeof note + ((note.n_namesz + 3ul) & ~3ul);
        uint64_t next = desc_at + ((note.n_descsz + 3ul) & ~3ul);
        if (next > end)
            return complain(-ENOEXEC, "%s: a note at offset %lu overruns its segment", elf->name, at);
        size_t n = note.n_descsz < size ? note.n_descsz : size;
        if (note.n_type == type)
            return host_read_at(elf->fd, desc, n, desc_at) < 0 ? -EIO : (int)note.n_descsz;
        at = next;
    }
    return -ENOENT;
}
