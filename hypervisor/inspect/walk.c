/* The page-table walk that the CPU does, done in the open: every level, and where and why it ends. */
#include <cpuid.h>
#include "inspect.h"
#include "x86.h"

/* How the address is cut into indices: `top` levels of `bits` bits each, above the 12 bits within a page. */
struct mode {
    unsigned top, bits, entry_size;
    uint64_t root; /* the bits of CR3 that are the top table's address */
};

static const struct mode *walk_mode(const struct kvm_sregs *sregs)
{
    static const struct mode modes[] = {
        {2, 10, 4, 0xfffff000}, {3, 9, 8, 0xffffffe0}, {4, 9, 8, PTE_ADDR}, {5, 9, 8, PTE_ADDR}};

    if (sregs->efer & EFER_LMA)
        return sregs->cr4 & CR4_LA57 ? &modes[3] : &modes[2];
    return sregs->cr4 & CR4_PAE ? &modes[1] : &modes[0];
}

bool is_canonical(const struct kvm_sregs *sregs, uint64_t gva)
{
    const struct mode *m = walk_mode(sregs);
    unsigned unused = 64 - (12 + m->top * m->bits);

    return m->top < 4 || (uint64_t)((int64_t)(gva << unused) >> unused) == gva;
}

/* Whether an entry of `level` (1: page table) maps a page itself. */
static bool is_leaf(const struct kvm_sregs *sregs, const struct mode *m, unsigned level, uint64_t entry)
{
    bool may_be_large = m->top == 2 ? sregs->cr4 & CR4_PSE : level == 2 || (level == 3 && m->top > 3);

    return level == 1 || (entry & PTE_PS && may_be_large);
}

/* The bits of an entry's address that this CPU does not have. (CPUs that do not tell have 36.) */
static uint64_t missing_address_bits(void)
{
    static unsigned bits;
    unsigned eax, unused;

    if (!bits)
        bits = __get_cpuid(0x80000008, &eax, &unused, &unused, &unused) ? eax & 0xff : 36;
    return PTE_ADDR & ~0ul << bits;
}

/* Bits that must be zero: where an entry has one of them, the access is a page fault whatever it is. */
static bool has_reserved_bits(const struct kvm_sregs *sregs, const struct mode *m, unsigned level,
                              uint64_t entry)
{
    uint64_t reserved = missing_address_bits() | (sregs->efer & EFER_NXE ? 0 : PTE_NX);

    if (level > 3)
        reserved |= PTE_PS;
    else if (level > 1 && is_leaf(sregs, m, level, entry))
        reserved |= ((1ul << (12 + (level - 1) * m->bits)) - 1) & ~0x1ffful; /* of a large page's address */
    return m->entry_size == 8 && entry & reserved;
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
    if (access & WALK_SMAP && !(access & WALK_FETCH) && w->user && sregs->cr4 & CR4_SMAP)
        return "A USER PAGE (SMAP: the kernel may touch it only between STAC and CLAC)";
    if (access & WALK_WRITE && !w->writable && (access & WALK_USER || sregs->cr0 & CR0_WP))
        return "READ-ONLY";
    return NULL;
}

/* Read the entry for one level into the next element of w->levels. NULL: it is not in RAM. */
static const uint64_t *walk_step(struct vm *vm, struct walk *w, const struct mode *m, unsigned level,
                                 uint64_t table)
{
    static const char *const names[] = {"", "PT", "PD", "PDPT", "PML4", "PML5"};
    unsigned entries = m->top == 3 && level == 3 ? 4 : 1u << m->bits;
    unsigned index = (unsigned)(w->gva >> (12 + (level - 1) * m->bits)) & (entries - 1);
    struct walk_level *l = &w->levels[w->count];

    *l = (struct walk_level){names[level], index, table + index * m->entry_size, 0};
    const void *entry = guest_ptr(vm, l->entry_gpa, m->entry_size);
    if (!entry)
        return NULL;
    memcpy(&l->entry, entry, m->entry_size);
    w->count++;
    return &l->entry;
}

/* Returns why the walk ends before a page, or NULL. */
static const char *walk_levels(struct vm *vm, const struct kvm_sregs *sregs, const struct mode *m,
                               struct walk *w)
{
    uint64_t table = sregs->cr3 & m->root;

    for (unsigned level = m->top; level > 0 && !w->page_size; level--) {
        const uint64_t *entry = walk_step(vm, w, m, level, table);
        if (!entry)
            return level == m->top ? "CR3 POINTS OUTSIDE RAM" : "THE NEXT TABLE IS OUTSIDE RAM";
        if (!(*entry & PTE_P))
            return "NOT PRESENT";
        if (has_reserved_bits(sregs, m, level, *entry))
            return "A RESERVED BIT IS SET";
        if (m->top != 3 || level != 3) { /* the top entries of PAE carry no rights */
            w->writable &= !!(*entry & PTE_W);
            w->user &= !!(*entry & PTE_U);
            w->executable &= !(*entry & PTE_NX);
        }
        table = *entry & PTE_ADDR;
        if (is_leaf(sregs, m, level, *entry))
            w->page_size = 1ul << (12 + (level - 1) * m->bits);
    }
    w->gpa = (table & ~(w->page_size - 1)) | (w->gva & (w->page_size - 1));
    return NULL;
}

bool walk(struct vm *vm, const struct kvm_sregs *sregs, uint64_t gva, unsigned access, struct walk *w)
{
    const struct mode *m = walk_mode(sregs);

    *w = (struct walk){.gva = gva, .writable = true, .user = true, .executable = true};
    if (!(sregs->cr0 & CR0_PG)) {
        w->gpa = gva;
        w->page_size = PAGE_SIZE;
    } else if (!is_canonical(sregs, gva))
        w->why = "NOT CANONICAL (the upper bits must repeat the highest one in use)";
    else
        w->why = walk_levels(vm, sregs, m, w) ?: denied(w, sregs, access);
    w->is_ram = w->page_size && guest_ptr(vm, w->gpa, 1);
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
        fprintf(out, " -> %lx (%s, r%s%s%s)\n", w->gpa, w->user ? "user" : "kernel", w->writable ? "w" : "",
                w->executable ? "x" : "", w->is_ram ? "" : "; NOT RAM: a device's, or nobody's");
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
