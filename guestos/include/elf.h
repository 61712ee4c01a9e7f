/* Loading programs. */
#ifndef ELF_H
#define ELF_H

#include "vfs.h"
#include "vm.h"

struct elf_program {
    uint64_t entry;
    uint64_t phdrs; /* address at which the program finds its own program headers, or 0 */
    unsigned phnum;
};

/*
 * Map the program in `node` into an empty address space, and put the heap (brk) behind it. Returns 0,
 * -ENOEXEC if the file is not a static x86-64 ELF program that fits into a program's addresses, -ENOMEM, or
 * an error of the file system.
 */
int elf_load(struct vnode *node, struct address_space *vm, struct elf_program *program);

#endif
