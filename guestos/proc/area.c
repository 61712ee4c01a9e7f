/* The list of areas of an address space: finding, cutting and joining. No page tables here. */
#include "area.h"
#include "errno.h"
#include "heap.h"
#include "layout.h"
#include "vfs.h"

struct area *area_find(struct address_space *vm, uint64_t address)
{
    struct area *area = vm->areas;

    while (area && area->end <= address)
        area = area->next;
    return area && area->start <= address ? area : NULL;
}

struct area *area_clone(const struct area *area)
{
    struct area *copy = kmalloc(sizeof(*copy));

    if (!copy)
        return NULL;
    *copy = *area;
    copy->next = NULL;
    if (copy->vnode)
        vnode_get(copy->vnode);
    return copy;
}

void area_free(struct area *area)
{
    if (area->vnode)
        vnode_put(area->vnode);
    kfree(area);
}

void area_insert(struct address_space *vm, struct area *area)
{
    struct area **link = &vm->areas;

    while (*link && (*link)->start < area->start)
        link = &(*link)->next;
    area->next = *link;
    *link = area;
    vm->area_count++;
}

/* Zeros of the process's own, with the same rights. */
static bool same(const struct area *a, const struct area *b)
{
    return a && !a->vnode && !b->vnode && !a->shared && !b->shared && a->prot == b->prot;
}

int area_add(struct address_space *vm, const struct area *new)
{
    struct area *low = area_find(vm, new->start - 1), *high = area_find(vm, new->end), *area;

    if (same(low, new)) {
        low->end = new->end;
    } else if (same(high, new)) {
        high->start = new->start;
    } else {
        area = vm->area_count < AREAS_MAX ? area_clone(new) : NULL;
        if (!area)
            return -ENOMEM;
        area_insert(vm, area);
    }
    return 0;
}

/* Have an area boundary at `address`, by cutting the area that crosses it in two. */
static int cut_at(struct address_space *vm, uint64_t address)
{
    struct area *low = area_find(vm, address);

    if (!low || low->start == address)
        return 0;
    struct area *high = vm->area_count < AREAS_MAX ? area_clone(low) : NULL;
    if (!high)
        return -ENOMEM;
    high->start = address;
    high->offset += address - low->start;
    low->end = address;
    high->next = low->next;
    low->next = high;
    vm->area_count++;
    return 0;
}

int area_cut(struct address_space *vm, uint64_t start, uint64_t end)
{
    return cut_at(vm, start) == 0 && cut_at(vm, end) == 0 ? 0 : -ENOMEM;
}

void area_remove(struct address_space *vm, uint64_t start, uint64_t end)
{
    struct area **link = &vm->areas;

    while (*link) {
        struct area *area = *link;
        if (area->start >= start && area->end <= end) {
            *link = area->next;
            vm->area_count--;
            area_free(area);
        } else {
            link = &area->next;
        }
    }
}

bool vm_overlaps(struct address_space *vm, uint64_t start, uint64_t size)
{
    for (struct area *area = vm->areas; area; area = area->next)
        if (area->start < start + size && area->end > start)
            return true;
    return false;
}

uint64_t vm_find_free(struct address_space *vm, uint64_t size)
{
    uint64_t best = 0, low = USER_START;

    for (struct area *area = vm->areas;; area = area->next) { /* the highest gap that is large enough */
        uint64_t high = area ? MIN(area->start, MMAP_TOP) : MMAP_TOP;
        if (high > low && high - low >= size)
            best = high - size;
        if (!area || area->end >= MMAP_TOP)
            return best;
        low = area->end;
    }
}
