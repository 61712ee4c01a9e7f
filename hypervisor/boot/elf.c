/* An ELF64 executable for x86-64, read with every header, offset and length checked: the file is hostile. */
#include <stdio.h>
#include "kernel.h"

#define NOTES_MAX MiB

/* What must hold of a header, in order, and what to say where it does not. */
struct check {
    bool good;
    const char *fault;
};

static int elf_check(const struct elf *elf, const struct check *checks, size_t count, const char *where)
{
    for (size_t i = 0; i < count; i++)
        if (!checks[i].good)
            return complain(-ENOEXEC, "%s: %s%s", elf->name, where, checks[i].fault);
    return 0;
}

static int elf_check_header(const struct elf *elf)
{
    const Elf64_Ehdr *h = &elf->header;
    const struct check checks[] = {
        {memcmp(h->e_ident, ELFMAG, SELFMAG) == 0, "not an ELF file"},
        {h->e_ident[EI_CLASS] == ELFCLASS64 && h->e_ident[EI_DATA] == ELFDATA2LSB &&
             h->e_machine == EM_X86_64,
         "an ELF file, but not a 64-bit one for x86-64"},
        {h->e_ident[EI_VERSION] == EV_CURRENT && h->e_version == EV_CURRENT, "unknown ELF version"},
        {h->e_type == ET_EXEC, "a kernel is an executable with fixed addresses (ELF type 2); this is not"},
        {h->e_phentsize == sizeof(Elf64_Phdr) && h->e_phnum > 0 && h->e_phnum <= ELF_SEGMENTS_MAX,
         "1 to 32 program headers of 56 bytes were expected"},
    };

    return elf_check(elf, checks, COUNT(checks), "");
}

static int elf_check_segment(const struct elf *elf, unsigned i, uint64_t file_size)
{
    const Elf64_Phdr *p = &elf->segments[i];
    const struct check checks[] = {
        {p->p_offset <= file_size && p->p_filesz <= file_size - p->p_offset, "ends after the file"},
        {p->p_type != PT_NOTE || p->p_filesz <= NOTES_MAX, "has more than 1 MiB of notes"},
        {p->p_type != PT_LOAD || p->p_filesz <= p->p_memsz, "has more bytes in the file than in memory"},
    };
    char where[32];

    snprintf(where, sizeof where, "segment %u ", i);
    return p->p_type == PT_LOAD || p->p_type == PT_NOTE ? elf_check(elf, checks, COUNT(checks), where) : 0;
}

int elf_open(struct elf *elf, const char *name, int fd, uint64_t size)
{
    *elf = (struct elf){.name = name, .fd = fd};
    if (host_read_at(fd, &elf->header, sizeof elf->header, 0) < 0)
        return complain(-ENOEXEC, "%s: %lu bytes are too few for an ELF header", name, size);
    int err = elf_check_header(elf);
    if (err)
        return err;
    if (host_read_at(fd, elf->segments, elf->header.e_phnum * sizeof(Elf64_Phdr), elf->header.e_phoff) < 0)
        return complain(-ENOEXEC, "%s: the program headers at offset %lu lie beyond the end of the file",
                        name, elf->header.e_phoff);
    for (unsigned i = 0; err == 0 && i < elf->header.e_phnum; i++)
        err = elf_check_segment(elf, i, size);
    return err;
}

static int elf_load_segment(const struct elf *elf, const Elf64_Phdr *p, struct vm *vm)
{
    int err = memory_reserve(vm, p->p_paddr, p->p_memsz, "a segment of the kernel");

    if (err)
        return err;
    err = host_read_at(elf->fd, guest_ptr(vm, p->p_paddr, p->p_memsz), p->p_filesz, p->p_offset);
    if (err)
        complain(err, "%s: cannot read the segment at offset %lu: %s", elf->name, p->p_offset,
                 strerror(-err));
    return err;
}

int elf_load(const struct elf *elf, struct vm *vm)
{
    unsigned loaded = 0;
    int err = 0;

    for (unsigned i = 0; err == 0 && i < elf->header.e_phnum; i++) {
        const Elf64_Phdr *p = &elf->segments[i];
        if (p->p_type != PT_LOAD || p->p_memsz == 0)
            continue;
        err = elf_load_segment(elf, p, vm);
        loaded++;
    }
    return loaded ? err : complain(-ENOEXEC, "%s: has nothing to load (no PT_LOAD segment)", elf->name);
}

const Elf64_Phdr *elf_segment_at(const struct elf *elf, uint64_t paddr)
{
    for (const Elf64_Phdr *p = elf->segments; p < elf->segments + elf->header.e_phnum; p++)
        if (p->p_type == PT_LOAD && paddr - p->p_paddr < p->p_memsz)
            return p;
    return NULL;
}

/* Look through one PT_NOTE segment. Names and descriptors are padded to 4 bytes, whatever p_align says. */
static int find_in_segment(const struct elf *elf, const Elf64_Phdr *p, const char *owner, uint32_t type,
                           void *desc, size_t size)
{
    uint64_t at = p->p_offset, end = at + p->p_filesz;
    char name[16] = "";
    Elf64_Nhdr note;

    while (end - at >= sizeof note) {
        if (host_read_at(elf->fd, &note, sizeof note, at) < 0)
            return -EIO;
        uint64_t desc_at = at + sizeof note + ((note.n_namesz + 3ul) & ~3ul);
        uint64_t next = desc_at + ((note.n_descsz + 3ul) & ~3ul);
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

int elf_find_note(const struct elf *elf, const char *owner, uint32_t type, void *desc, size_t size)
{
    int found = -ENOENT;

    for (unsigned i = 0; found == -ENOENT && i < elf->header.e_phnum; i++)
        if (elf->segments[i].p_type == PT_NOTE)
            found = find_in_segment(elf, &elf->segments[i], owner, type, desc, size);
    return found;
}
