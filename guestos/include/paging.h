/* Page tables: four levels, as the CPU reads them (Intel SDM 3A §4.5). */
#ifndef PAGING_H
#define PAGING_H

#include "types.h"

typedef uint64_t pte_t;

#define PTE_PRESENT  0x001ul
#define PTE_WRITE    0x002ul
#define PTE_USER     0x004ul
#define PTE_NOCACHE  0x018ul
#define PTE_LARGE    0x080ul
#define PTE_GLOBAL   0x100ul
#define PTE_COW      0x200ul /* ours: shared until the first write (the CPU ignores bits 9 to 11) */
#define PTE_SHARED   0x400ul /* ours: shared for good */
#define PTE_NOACCESS 0x800ul /* ours: nobody may use the frame for now; without PTE_PRESENT */
#define PTE_ADDRESS  0x000ffffffffff000ul
#define PTE_NOEXEC   pte_noexec

extern pte_t pte_noexec; /* bit 63, or 0 on a CPU without it */

/* The kernel's own tables (physical address of the top one). */
extern uint64_t kernel_pml4;

/*
 * Find the entry that maps the page at `va` in the tables below `pml4`. With `create`, tables that are
 * missing are made; then NULL means that memory is used up. Without, NULL means that there is no table for
 * this address.
 */
pte_t *pte_find(uint64_t pml4, uint64_t va, bool create);

/* Put the physical page, with PTE_ flags (PTE_PRESENT among them), at va. Returns 0 or -ENOMEM. The page must
 * not be mapped yet. */
int page_map(uint64_t pml4, uint64_t va, uint64_t physical, uint64_t flags);

/* Take away the page at va. Returns its physical address, or 0 if none was there. Flushes this CPU's TLB
 * entry. */
uint64_t page_unmap(uint64_t pml4, uint64_t va);

/* Forget what the CPU remembers of the page at va. */
void tlb_flush_page(uint64_t va);

/* Make tables for a program: the kernel's half shared, the lower half empty. Returns 0 if memory is used up.
 */
uint64_t pml4_create(void);

/*
 * Free the tables of the lower half and pml4 itself, after calling `page(entry)` for every page that is still
 * mapped. The tables must not be in use.
 */
void pml4_destroy(uint64_t pml4, void (*page)(pte_t entry));

/* A range of kernel addresses with memory of its own, guarded by an unmapped page on each side. NULL: no
 * memory. */
void *map_alloc(size_t pages);
void map_free(void *address, size_t pages);

/* Kernel addresses for a device's registers (not cached). Never undone. */
volatile void *map_device(uint64_t physical, size_t size);

#endif
