/* An ELF64 executable for x86-64, read with every header, offset and length checked: the file is hostile. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "../host.h"
#include "elf.h"

#define NOTES_MAX MiB

/* Whether [offset, offset + size) lies in the file; no sum that could wrap. */
static bool in_file(const struct elf *elf, uint64_t offset, uint64_t size)
{
    return offset <= elf->size && size <= elf->size - offset;
}

static int elf_check_header(const struct elf *elf)
{
    const Elf64_Ehdr *h = &elf->header;

    if (memcmp(h->e_ident, ELFMAG, SELFMAG) != 0)
        return complain(-ENOEXEC, "%s: not an ELF file", elf->name);
    if (h->e_ident[EI_CLASS] != ELFCLASS64 || h->e_ident[EI_DATA] != ELFDATA2LSB || h->e_machine != EM_X86_64)
        return complain(-ENOEXEC, "%s: an ELF file, but not a 64-bit one for x86-64 (class %u, machine %u)",
                        elf->name, h->e_ident[EI_CLASS], h->e_machine);
    if (h->e_ident[EI_VERSION] != EV_CURRENT || h->e_version != EV_CURRENT)
        return complain(-ENOEXEC, "%s: unknown ELF version %u", elf->name, h->e_version);
    if (h->e_type != ET_EXEC)
        return complain(-ENOEXEC, "%s: ELF type %u; a kernel is an executable with fixed addresses (type %u)",
                        elf->name, h->e_type, ET_EXEC);
    if (h->e_phentsize != sizeof(Elf64_Phdr) || h->e_phnum == 0 || h->e_phnum > ELF_SEGMENTS_MAX)
        return complain(-ENOEXEC, "%s: %u program headers of %u bytes; expected 1 to %u of %zu", elf->name,
                        h->e_phnum, h->e_phentsize, ELF_SEGMENTS_MAX, sizeof(Elf64_Phdr));
    return 0;
}

static int elf_check_segment(const struct elf *elf, unsigned i)
{
    const Elf64_Phdr *p = &elf->segments[i];

    if (p->p_type != PT_LOAD && p->p_type != PT_NOTE)
        return 0;
    if (!in_file(elf, p->p_offset, p->p_filesz))
        return complain(-ENOEXEC,
                        "%s: segment %u (%llu bytes at offset %llu) ends after the file of %llu bytes",
                        elf->name, i, (unsigned long long)p->p_filesz, (unsigned long long)p->p_offset,
                        (unsigned long long)elf->size);
    if (p->p_type == PT_NOTE && p->p_filesz > NOTES_MAX)
        return complain(-ENOEXEC, "%s: segment %u: %llu bytes of notes", elf->name, i,
                        (unsigned long long)p->p_filesz);
    if (p->p_type == PT_LOAD && p->p_filesz > p->p_memsz)
        return complain(-ENOEXEC, "%s: segment %u has more bytes in the file (%llu) than in memory (%llu)",
                        elf->name, i, (unsigned long long)p->p_filesz, (unsigned long long)p->p_memsz);
    return 0;
}

int elf_open(struct elf *elf, const char *name, int fd)
{
    struct stat st;

    *elf = (struct elf){.name = name, .fd = fd};
    if (fstat(fd, &st) < 0)
        return complain(-errno, "%s: %s", name, strerror(errno));
    elf->size = (uint64_t)st.st_size;
    if (host_read_at(fd, &elf->header, sizeof elf->header, 0) < 0)
        return complain(-ENOEXEC, "%s: %llu bytes are too few for an ELF header", name,
                        (unsigned long long)elf->size);
    int err = elf_check_header(elf);
    if (err)
        return err;
    if (host_read_at(fd, elf->segments, elf->header.e_phnum * sizeof(Elf64_Phdr), elf->header.e_phoff) < 0)
        return complain(-ENOEXEC, "%s: the program headers at offset %llu lie beyond the end of the file",
                        name, (unsigned long long)elf->header.e_phoff);
    for (unsigned i = 0; err == 0 && i < elf->header.e_phnum; i++)
        err = elf_check_segment(elf, i);
    return err;
}

static int elf_load_segment(const struct elf *elf, const Elf64_Phdr *p, struct vm *vm)
{
    int err = memory_reserve(vm, p->p_paddr, p->p_memsz, "a segment of the kernel");

    if (err)
        return err;
    err = host_read_at(elf->fd, guest_ptr(vm, p->p_paddr, p->p_memsz), p->p_filesz, p->p_offset);
    return err ? complain(err, "%s: cannot read the segment at offset %llu: %s", elf->name,
                          (unsigned long long)p->p_offset, strerror(-err))
               : 0;
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
    if (err == 0 && loaded == 0)
        return complain(-ENOEXEC, "%s: has nothing to load (no PT_LOAD segment)", elf->name);
    return err;
}

const Elf64_Phdr *elf_segment_at(const struct elf *elf, uint64_t paddr)
{
    for (unsigned i = 0; i < elf->header.e_phnum; i++) {
        const Elf64_Phdr *p = &elf->segments[i];
        if (p->p_type == PT_LOAD && paddr - p->p_paddr < p->p_memsz)
            return p;
    }
    return NULL;
}

/* Look through one PT_NOTE segment. Names and descriptors are padded to 4 bytes, whatever p_align says. */
static int find_in_segment(const struct elf *elf, const Elf64_Phdr *p, const char *owner, uint32_t type,
                           void *desc, size_t size)
{
    uint64_t offset = p->p_offset, left = p->p_filesz;
    Elf64_Nhdr note;
    char name[16];

    while (left >= sizeof note) {
        if (host_read_at(elf->fd, &note, sizeof note, offset) < 0)
            return -EIO;
        uint64_t name_size = (note.n_namesz + 3ull) & ~3ull, desc_size = (note.n_descsz + 3ull) & ~3ull;
        offset += sizeof note;
        left -= sizeof note;
        if (name_size > left || desc_size > left - name_size)
            return complain(-ENOEXEC, "%s: a note at offset %llu overruns its segment", elf->name,
                            (unsigned long long)offset);
        size_t n = note.n_descsz < size ? note.n_descsz : size;
        if (note.n_type == type && note.n_namesz == strlen(owner) + 1 && note.n_namesz <= sizeof name &&
            host_read_at(elf->fd, name, note.n_namesz, offset) == 0 &&
            memcmp(name, owner, note.n_namesz) == 0)
            return host_read_at(elf->fd, desc, n, offset + name_size) < 0 ? -EIO : (int)n;
        offset += name_size + desc_size;
        left -= name_size + desc_size;
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
