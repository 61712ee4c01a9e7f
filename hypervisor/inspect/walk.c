/* The page-table walk that the CPU does, done in the open: every level, and where and why it ends. */
#include <inttypes.h>
#include <string.h>
#include "walk.h"

#define CR0_WP   (1ull << 16)
#define CR0_PG   (1ull << 31)
#define CR4_PSE  (1ull << 4)
#define CR4_PAE  (1ull << 5)
#define CR4_LA57 (1ull << 12)
#define CR4_SMEP (1ull << 20)
#define EFER_LMA (1ull << 10)
#define EFER_NXE (1ull << 11)

#define PTE_P  1ull
#define PTE_W  2ull
#define PTE_U  4ull
#define PTE_PS (1ull << 7)
#define PTE_NX (1ull << 63)

/* How the address is cut into indices: `top` levels of `bits` bits each, above the 12 bits within a page. */
struct mode {
    unsigned top, bits, entry_size;
};

static struct mode walk_mode(const struct kvm_sregs *sregs)
{
    if (sregs->efer & EFER_LMA)
        return (struct mode){sregs->cr4 & CR4_LA57 ? 5 : 4, 9, 8};
    if (sregs->cr4 & CR4_PAE)
        return (struct mode){3, 9, 8};
    return (struct mode){2, 10, 4};
}

static bool canonical(uint64_t gva, const struct mode *m)
{
    unsigned unused = 64 - (12 + m->top * m->bits);

    return m->top < 4 || (uint64_t)((int64_t)(gva << unused) >> unused) == gva;
}

/* Whether an entry of `level` (1: page table) maps a page itself. */
static bool is_leaf(const struct kvm_sregs *sregs, const struct mode *m, unsigned level, uint64_t entry)
{
    if (level == 1)
        return true;
    if (m->entry_size == 4)
        return entry & PTE_PS && sregs->cr4 & CR4_PSE;
    return entry & PTE_PS && (level == 2 || (level == 3 && m->top > 3));
}

/* Bits that must be zero: where an entry has one of them, the access is a page fault whatever it is. */
static bool has_reserved_bits(const struct kvm_sregs *sregs, const struct mode *m, unsigned level,
                              uint64_t entry)
{
    if (m->entry_size == 4)
        return false;
    uint64_t reserved = sregs->efer & EFER_NXE ? 0 : PTE_NX;
    if (level > 3)
        reserved |= PTE_PS;
    else if (level > 1 && is_leaf(sregs, m, level, entry))
        reserved |= ((1ull << (12 + (level - 1) * m->bits)) - 1) & ~0x1fffull; /* of a large page's address */
    return entry & reserved;
}

static uint64_t entry_address(const struct mode *m, uint64_t entry)
{
    return m->entry_size == 4 ? entry & 0xfffff000 : entry & 0x000ffffffffff000;
}

/* Why the rights found on the way do not allow the access, or NULL. */
static const char *denied(const struct walk *w, const struct kvm_sregs *sregs, unsigned access)
{
    if (access & WALK_USER && !w->user)
        return "KERNEL ONLY (ring 3 may not touch it)";
    if (access & WALK_FETCH && !w->executable)
        return "NO-EXECUTE (the NX bit is set)";
    if (access & WALK_FETCH && !(access & WALK_USER) && w->user && sregs->cr4 & CR4_SMEP)
        return "A USER PAGE (SMEP: the kernel may not execute it)";
    if (access & WALK_WRITE && !w->writable && (access & WALK_USER || sregs->cr0 & CR0_WP))
        return "READ-ONLY";
    return NULL;
}

/* Read the entry for one level into the next element of w->levels. */
static const uint64_t *walk_step(struct vm *vm, struct walk *w, const struct mode *m, unsigned level,
                                 uint64_t table)
{
    static const char *const names[] = {"", "PT", "PD", "PDPT", "PML4", "PML5"};
    unsigned shift = 12 + (level - 1) * m->bits;
    struct walk_level *l = &w->levels[w->count];

    l->name = names[level];
    l->index = (unsigned)(w->gva >> shift) & ((1u << m->bits) - 1);
    if (m->top == 3 && level == 3)
        l->index &= 3; /* PAE: the top table has four entries */
    l->entry_gpa = table + l->index * m->entry_size;
    const void *entry = guest_ptr(vm, l->entry_gpa, m->entry_size);
    if (!entry)
        return NULL;
    memcpy(&l->entry, entry, m->entry_size);
    w->count++;
    return &l->entry;
}

static bool walk_levels(struct vm *vm, const struct kvm_sregs *sregs, const struct mode *m, struct walk *w)
{
    uint64_t table = entry_address(m, sregs->cr3);

    if (m->top == 3)
        table |= sregs->cr3 & 0xfe0; /* PAE: the top table is only 32 bytes, aligned to as much */
    for (unsigned level = m->top; level > 0; level--) {
        const uint64_t *entry = walk_step(vm, w, m, level, table);
        if (!entry)
            w->why = level == m->top ? "CR3 POINTS OUTSIDE RAM" : "THE NEXT TABLE IS OUTSIDE RAM";
        else if (!(*entry & PTE_P))
            w->why = "NOT PRESENT";
        else if (has_reserved_bits(sregs, m, level, *entry))
            w->why = "A RESERVED BIT IS SET";
        if (w->why)
            return false;
        if (m->top != 3 || level != 3) { /* the top entries of PAE carry no rights */
            w->writable &= !!(*entry & PTE_W);
            w->user &= !!(*entry & PTE_U);
            w->executable &= !(*entry & PTE_NX);
        }
        table = entry_address(m, *entry);
        if (is_leaf(sregs, m, level, *entry)) {
            w->page_size = 1ull << (12 + (level - 1) * m->bits);
            break;
        }
    }
    w->gpa = (table & ~(w->page_size - 1)) | (w->gva & (w->page_size - 1));
    return true;
}

bool walk(struct vm *vm, const struct kvm_sregs *sregs, uint64_t gva, unsigned access, struct walk *w)
{
    const struct mode m = walk_mode(sregs);

    *w = (struct walk){.gva = gva, .writable = true, .user = true, .executable = true};
    if (!(sregs->cr0 & CR0_PG)) {
        w->gpa = gva;
        w->page_size = 4096;
        return true;
    }
    if (!canonical(gva, &m)) {
        w->why = "NOT CANONICAL (the upper bits must repeat the highest one in use)";
        return false;
    }
    if (walk_levels(vm, sregs, &m, w))
        w->why = denied(w, sregs, access);
    return !w->why;
}

void walk_print(FILE *out, const struct walk *w)
{
    for (unsigned i = 0; i < w->count; i++)
        fprintf(out, "%s%s[%u]", i ? " -> " : "", w->levels[i].name, w->levels[i].index);
    if (w->why)
        fprintf(out, " %s\n", w->why);
    else if (w->count == 0)
        fprintf(out, "paging is off\n");
    else
        fprintf(out, " -> %" PRIx64 " (%s, %s%s%s)\n", w->gpa, w->user ? "user" : "kernel", "r",
                w->writable ? "w" : "", w->executable ? "x" : "");
}

size_t walk_read(struct vm *vm, const struct kvm_sregs *sregs, uint64_t gva, void *data, size_t size)
{
    struct walk w;

    for (size_t done = 0; done < size; done++) { /* a byte at a time: simple, and right across pages */
        const uint8_t *p = walk(vm, sregs, gva + done, 0, &w) ? guest_ptr(vm, w.gpa, 1) : NULL;
        if (!p)
            return done;
        ((uint8_t *)data)[done] = *p;
    }
    return size;
}
