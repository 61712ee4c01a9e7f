/* The names of functions and variables in a kernel's ELF file. */
#ifndef SYMBOLS_H
#define SYMBOLS_H

#include <elf.h>
#include "../vm.h"

struct symbols {
    Elf64_Sym *table; /* NULL: no names are known */
    size_t count;
    char *strings;
    size_t strings_size;
};

/* Read the symbol table of the file; an empty *s if it has none that can be trusted. Free with
 * symbols_free(). */
void symbols_load(struct symbols *s, int fd);
void symbols_free(struct symbols *s);

/* The symbol that holds `addr`, or the last one before it, with the distance in *offset; NULL if there is
 * none. */
const char *symbols_find(const struct symbols *s, uint64_t addr, uint64_t *offset);

#endif
