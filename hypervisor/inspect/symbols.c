/* The names of functions and variables in a kernel's ELF file. The file is hostile: every offset and index is
 * checked. */
#include <stdlib.h>
#include "inspect.h"

#define TABLE_MAX (64 * MiB)
#define FAR_AWAY  (1 * MiB) /* a name this far before an address says nothing about it */

/* Read a section into fresh memory, with a zero byte after it. NULL if it is too large or not in the file. */
static void *section_read(int fd, const Elf64_Shdr *section)
{
    char *data = section->sh_size <= TABLE_MAX ? calloc(1, section->sh_size + 1) : NULL;

    if (data && host_read_at(fd, data, section->sh_size, section->sh_offset) == 0)
        return data;
    free(data);
    return NULL;
}

/* Whether section `i` is there and of that type. */
static bool section_header(int fd, const Elf64_Ehdr *h, unsigned i, uint32_t type, Elf64_Shdr *section)
{
    return i < h->e_shnum &&
           host_read_at(fd, section, sizeof *section, h->e_shoff + i * sizeof *section) == 0 &&
           section->sh_type == type;
}

void symbols_load(struct symbols *s, int fd)
{
    Elf64_Shdr table, strings;
    Elf64_Ehdr h;

    *s = (struct symbols){0};
    if (fd < 0 || host_read_at(fd, &h, sizeof h, 0) < 0 || memcmp(h.e_ident, ELFMAG, SELFMAG) != 0 ||
        h.e_ident[EI_CLASS] != ELFCLASS64 || h.e_shentsize != sizeof table)
        return;
    for (unsigned i = 0; i < h.e_shnum; i++) {
        if (!section_header(fd, &h, i, SHT_SYMTAB, &table) ||
            !section_header(fd, &h, table.sh_link, SHT_STRTAB, &strings))
            continue;
        s->strings = section_read(fd, &strings);
        s->strings_size = strings.sh_size;
        s->table = s->strings ? section_read(fd, &table) : NULL;
        s->count = table.sh_size / sizeof(Elf64_Sym);
        if (!s->table)
            symbols_free(s);
        return; /* a file has one: a lie is not followed by 65,535 others, of 64 MiB each */
    }
}

void symbols_free(struct symbols *s)
{
    free(s->table);
    free(s->strings);
    *s = (struct symbols){0};
}

void symbols_print(FILE *out, const struct symbols *s, uint64_t addr)
{
    uint64_t offset;
    const char *name = symbols_find(s, addr, &offset);

    fprintf(out, "%016lx", addr);
    if (name)
        fprintf(out, " %s+0x%lx", name, offset);
}

const char *symbols_find(const struct symbols *s, uint64_t addr, uint64_t *offset)
{
    const Elf64_Sym *best = NULL;

    for (size_t i = 0; s->table && i < s->count; i++) {
        const Elf64_Sym *sym = &s->table[i];
        if (ELF64_ST_TYPE(sym->st_info) > STT_FUNC || sym->st_shndx == SHN_UNDEF ||
            sym->st_shndx == SHN_ABS || sym->st_value > addr || sym->st_name >= s->strings_size ||
            !s->strings[sym->st_name])
            continue;
        if (!best || sym->st_value > best->st_value)
            best = sym;
    }
    if (!best || addr - best->st_value >= (best->st_size > FAR_AWAY ? best->st_size : FAR_AWAY))
        return NULL;
    *offset = addr - best->st_value;
    return s->strings + best->st_name;
}
