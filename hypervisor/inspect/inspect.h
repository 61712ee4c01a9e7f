/* Looking into a guest: page walks, symbols, and what is found out about a dead one. */
#ifndef INSPECT_H
#define INSPECT_H

#include <elf.h>
#include <stdio.h>
#include "../vm.h"

/* ---- Page walks (walk.c) ---- */

#define WALK_WRITE 1u
#define WALK_FETCH 2u
#define WALK_USER  4u /* by ring 3 */
#define WALK_SMAP  8u /* by ring 0 while RFLAGS.AC is clear: SMAP counts, where it is on */

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
    bool is_ram;        /* it is a byte of RAM; everything else goes to a device, if one is there */
    bool writable, user, executable; /* what all levels together allow */
};

/*
 * Translate `gva` as a CPU with these special registers would, for an access of WALK_xxx bits (0: the kernel
 * reads). Returns whether the access is possible. All modes: long mode with 4 and 5 levels, PAE, 32-bit, and
 * paging off (Intel SDM 3A chapter 4, AMD APM 2 chapter 5). The tables are the guest's: they may point
 * anywhere and at themselves.
 */
bool walk(struct vm *vm, const struct kvm_sregs *sregs, uint64_t gva, unsigned access, struct walk *w);

/* Whether the upper bits of an address repeat the highest one in use; always true outside of long mode. */
bool is_canonical(const struct kvm_sregs *sregs, uint64_t gva);

/* "PML4[256] -> PDPT[0] -> PD[0] -> PT[511] NOT PRESENT" */
void walk_print(FILE *out, const struct walk *w);

/* Copy from guest-virtual memory as the kernel would read it. Returns the number of bytes that could be read.
 */
size_t walk_read(struct vm *vm, const struct kvm_sregs *sregs, uint64_t gva, void *data, size_t size);

/* ---- Symbols (symbols.c) ---- */

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

/* The last symbol at or before `addr`, with the distance in *offset; NULL if there is none near. */
const char *symbols_find(const struct symbols *s, uint64_t addr, uint64_t *offset);

/* "ffffffff80102a31 recurse+0x11", or the address alone. */
void symbols_print(FILE *out, const struct symbols *s, uint64_t addr);

/* ---- The post-mortem (postmortem.c, reenact.c, probe.c, diagnose.c) ---- */

#define PAGE_FAULT 14 /* its vector */

/* An access that the CPU could not do, and whose walk is worth a look. */
struct broken {
    const char *name; /* NULL: none */
    uint64_t gva;
    unsigned access;
};

struct autopsy {
    FILE *out;
    struct vcpu *vcpu;
    unsigned reason;        /* of the exit, KVM_EXIT_xxx */
    struct kvm_regs regs;   /* just before the fatal instruction, */
    struct kvm_sregs sregs; /* unless `note` says otherwise */
    bool stale;             /* they are those of the last exit: the death came later */
    const char *note;       /* how the state was found, where it is not simply what KVM has; may be NULL */
    bool faulted;           /* the fatal instruction raised an exception, which is known: */
    unsigned vector;
    uint64_t error, cr2;
    unsigned ring;      /* WALK_xxx bits of every access by the code that died, */
    unsigned access;    /* and of the one that CR2 is about */
    const char *advice; /* beside the cause; may be NULL */
    struct broken broken;
    struct symbols symbols;
};

/* Have the vCPU's registers kept at each exit, where KVM would forget them when the guest dies. */
int reenact_prepare(struct vcpu *vcpu);

/* Have KVM_RUN end after each instruction. To be said anew before each: KVM forgets it where it emulates one.
 */
void single_step(struct vcpu *vcpu, bool on);

/* Whether this exit is that of the last access before the death: the instruction is played again. */
bool is_last_access(const struct vcpu *vcpu);

/* Fill regs, sregs and note. On the vCPU's own thread. */
void reenact(struct autopsy *a);

/* Run the fatal instruction once more with exception handlers of our own: fills faulted, vector, error, cr2.
 */
void probe_exception(struct autopsy *a);

/* Print the cause of a triple fault, a line without its end; set advice and broken. */
void diagnose(struct autopsy *a);

/* Print what the instruction at RIP does that the CPU forbids (violation.c). Returns whether it is known. */
bool print_violation(const struct autopsy *a);

#endif
