/* The page-table walk that the CPU does, done in the open: every level, and where and why it ends. */
#ifndef WALK_H
#define WALK_H

#include <stdio.h>
#include "../vm.h"

#define WALK_WRITE 1u
#define WALK_FETCH 2u
#define WALK_USER  4u /* by ring 3 */

struct walk_level {
    const char *name; /* "PML4" */
    unsigned index;
    uint64_t entry_gpa; /* where the entry lies */
    uint64_t entry;
};

struct walk {
    uint64_t gva;
    unsigned count; /* of levels looked at; 0 while paging is off */
    struct walk_level levels[5];
    const char *why;    /* why the access is not possible; NULL: it is */
    uint64_t gpa;       /* of the byte, if a page is mapped there (also if it does not allow the access) */
    uint64_t page_size; /* bytes; 0 if no page is mapped */
    bool writable, user, executable; /* what all levels together allow */
};

/*
 * Translate `gva` as a CPU with these special registers would, for an access of WALK_xxx bits (0: the kernel
 * reads). Returns whether the access is possible. All modes: long mode with 4 and 5 levels, PAE, 32-bit, and
 * paging off (Intel SDM 3A chapter 4, AMD APM 2 chapter 5). The tables are the guest's: they may point
 * anywhere and at themselves.
 */
bool walk(struct vm *vm, const struct kvm_sregs *sregs, uint64_t gva, unsigned access, struct walk *w);

/* "PML4[256] -> PDPT[0] -> PD[0] -> PT[511] NOT PRESENT" */
void walk_print(FILE *out, const struct walk *w);

/* Copy from guest-virtual memory as the kernel would read it. Returns the number of bytes that could be read.
 */
size_t walk_read(struct vm *vm, const struct kvm_sregs *sregs, uint64_t gva, void *data, size_t size);

#endif
