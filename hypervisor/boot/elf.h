/* An ELF64 executable for x86-64, read with every header, offset and length checked: the file is hostile. */
#ifndef ELF_FILE_H
#define ELF_FILE_H

#include <elf.h>
#include "../vm.h"

#define ELF_SEGMENTS_MAX 32

struct elf {
    const char *name; /* for messages */
    int fd;
    uint64_t size; /* of the file */
    Elf64_Ehdr header;
    Elf64_Phdr segments[ELF_SEGMENTS_MAX];
};

/* Read and check the headers. Returns 0 or -ENOEXEC after a complain(). Keeps using `fd` but does not own it.
 */
int elf_open(struct elf *elf, const char *name, int fd);

/*
 * Put the loadable segments at their physical addresses, as memory_reserve() allows. What the file does not
 * fill
 * (.bss) stays as it is: the RAM of a new machine is zero. Returns 0 or -errno after a complain().
 */
int elf_load(const struct elf *elf, struct vm *vm);

/*
 * Look for a note (ELF specification, "Note Section") by owner and type; copy its descriptor, at most `size`
 * bytes of it, to `desc`. Returns the number of bytes copied, -ENOENT if there is none, -ENOEXEC after a
 * complain() if one overruns.
 */
int elf_find_note(const struct elf *elf, const char *owner, uint32_t type, void *desc, size_t size);

/* The loadable segment that holds physical address `paddr`, or NULL. */
const Elf64_Phdr *elf_segment_at(const struct elf *elf, uint64_t paddr);

#endif
