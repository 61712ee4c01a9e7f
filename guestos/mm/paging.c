/* Page tables: finding and changing entries, and the life of a program's tables. */
#include "cpu.h"
#include "errno.h"
#include "frames.h"
#include "paging.h"
#include "printk.h"
#include "string.h"

#define ENTRIES    512
#define USER_SLOTS 256 /* the lower half of a PML4 */

uint64_t kernel_pml4;

static unsigned index_at(uint64_t va, int level)
{
    return va >> (12 + 9 * level) & (ENTRIES - 1);
}

static pte_t *table_at(pte_t entry)
{
    return phys_to_virt(entry & PTE_ADDRESS);
}

/* The table below this entry. Tables themselves allow everything; the last entry decides. */
static pte_t *next_table(pte_t *entry, bool create)
{
    if (!(*entry & PTE_PRESENT)) {
        uint64_t table = create ? frame_alloc_zero() : 0;
        if (!table)
            return NULL;
        *entry = table | PTE_PRESENT | PTE_WRITE | PTE_USER;
    }
    return table_at(*entry);
}

pte_t *pte_find(uint64_t pml4, uint64_t va, bool create)
{
    pte_t *table = phys_to_virt(pml4);

    for (int level = 3; level > 0; level--) {
        pte_t *entry = &table[index_at(va, level)];
        if ((*entry & PTE_PRESENT) && (*entry & PTE_LARGE))
            panic("address %lx is in a large page, which has no entry of 4 KiB", va);
        table = next_table(entry, create);
        if (!table)
            return NULL;
    }
    return &table[index_at(va, 0)];
}

int page_map(uint64_t pml4, uint64_t va, uint64_t physical, uint64_t flags)
{
    pte_t *entry = pte_find(pml4, va, true);

    if (!entry)
        return -ENOMEM;
    if (*entry)
        panic("page %lx is mapped twice", va);
    *entry = physical | flags;
    return 0;
}

uint64_t page_unmap(uint64_t pml4, uint64_t va)
{
    pte_t *entry = pte_find(pml4, va, false);

    if (!entry || !*entry)
        return 0;
    uint64_t physical = *entry & PTE_ADDRESS;
    *entry = 0;
    tlb_flush_page(va);
    return physical;
}

void tlb_flush_page(uint64_t va)
{
    __asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
}

uint64_t pml4_create(void)
{
    uint64_t pml4 = frame_alloc_zero();

    if (pml4)
        memcpy((pte_t *)phys_to_virt(pml4) + USER_SLOTS, (pte_t *)phys_to_virt(kernel_pml4) + USER_SLOTS,
               (ENTRIES - USER_SLOTS) * sizeof(pte_t));
    return pml4;
}

static void destroy_table(pte_t *table, int level, unsigned entries, void (*page)(pte_t entry))
{
    for (unsigned i = 0; i < entries; i++) {
        if (!table[i])
            continue;
        if (level == 0)
            page(table[i]);
        else
            destroy_table(table_at(table[i]), level - 1, ENTRIES, page);
    }
    frame_put(virt_to_phys(table));
}

void pml4_destroy(uint64_t pml4, void (*page)(pte_t entry))
{
    pte_t *table = phys_to_virt(pml4);

    /* Whoever looks into this memory from outside knows a live one by the kernel's half. */
    memset(table + USER_SLOTS, 0, (ENTRIES - USER_SLOTS) * sizeof(pte_t));
    destroy_table(table, 3, USER_SLOTS, page);
}
