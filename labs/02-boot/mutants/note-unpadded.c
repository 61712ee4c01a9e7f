/* In: hypervisor/boot/elf.c. Caught by: unit_elf.the_note_is_found_among_others. Mistake: forgets that names
 * and descriptors are padded to 4 bytes. */
static int find_in_segment(const struct elf *elf, const Elf64_Phdr *p, const char *owner, uint32_t type,
                           void *desc, size_t size)
{
    uint64_t at = p->p_offset, end = at + p->p_filesz;
    char name[16] = "";
    Elf64_Nhdr note;

    while (end - at >= sizeof note) {
        if (host_read_at(elf->fd, &note, sizeof note, at) < 0)
            return -EIO;
        uint64_t desc_at = at + sizeof note + note.n_namesz;
        uint64_t next = desc_at + note.n_descsz;
        if (next > end)
            return complain(-ENOEXEC, "%s: a note at offset %lu overruns its segment", elf->name, at);
        size_t n = note.n_descsz < size ? note.n_descsz : size;
        if (note.n_type == type && note.n_namesz == strlen(owner) + 1 && note.n_namesz < sizeof name &&
            host_read_at(elf->fd, name, note.n_namesz, at + sizeof note) == 0 && strcmp(name, owner) == 0)
            return host_read_at(elf->fd, desc, n, desc_at) < 0 ? -EIO : (int)note.n_descsz;
        at = next;
    }
    return -ENOENT;
}
