/* mremap, and the smaller calls on memory that malloc and others make. */
#include "area.h"
#include "errno.h"
#include "frames.h"
#include "layout.h"
#include "paging.h"
#include "process.h"
#include "syscall.h"
#include "user.h"

#define MREMAP_FIXED 2
#define MS_ASYNC     1
#define MS_SYNC      4
#define MS_KNOWN     7

/* Give the area `more` bytes at its end, where nothing may be. */
static void extend(struct area *area, uint64_t more)
{
    if (area->file_end == area->end)
        area->file_end += more;
    area->end += more;
}

/* Have the page tables for a range, so that moving pages there cannot fail. */
static int make_tables(struct address_space *vm, uint64_t start, uint64_t size)
{
    for (uint64_t page = start; page < start + size; page += PAGE_SIZE)
        if (!pte_find(vm->pml4, page, true))
            return -ENOMEM;
    return 0;
}

static void move_pages(struct address_space *vm, uint64_t from, uint64_t to, uint64_t size)
{
    for (uint64_t at = 0; at < size; at += PAGE_SIZE) {
        pte_t *old = pte_find(vm->pml4, from + at, false);
        if (!old || !*old)
            continue;
        *pte_find(vm->pml4, to + at, true) = *old;
        *old = 0;
        tlb_flush_page(from + at);
    }
}

/* Move an area to addresses that are free, and make it `size` bytes long there. Returns 0 or -ENOMEM. */
static int move_area(struct address_space *vm, struct area *area, uint64_t to, uint64_t size)
{
    uint64_t from = area->start, old_size = area->end - area->start;
    struct area *moved = area_clone(area);

    if (!moved || make_tables(vm, to, old_size) != 0) {
        if (moved)
            area_free(moved);
        return -ENOMEM;
    }
    moved->start = to;
    moved->end = to + old_size;
    moved->file_end = to + (area->file_end - from);
    extend(moved, size - old_size);
    move_pages(vm, from, to, old_size);
    area_remove(vm, from, from + old_size);
    area_insert(vm, moved);
    return 0;
}

/* Where a mapping that cannot stay goes. Returns 0 or -errno. */
static int new_place(struct address_space *vm, uint64_t old, uint64_t old_size, uint64_t size, uint32_t flags,
                     uint64_t *to)
{
    if (!(flags & MREMAP_MAYMOVE))
        return -ENOMEM;
    if (!(flags & MREMAP_FIXED)) {
        *to = vm_find_free(vm, size);
        return *to ? 0 : -ENOMEM;
    }
    if (*to % PAGE_SIZE || *to < USER_START || *to > USER_END - size ||
        (*to < old + old_size && old < *to + size))
        return -EINVAL;
    return vm_unmap(vm, *to, size);
}

/* The mapping [old, old + old_size) becomes `size` bytes, which is not less. Returns its address or -errno.
 */
static ssize_t grow(struct address_space *vm, uint64_t old, uint64_t old_size, uint64_t size, uint32_t flags,
                    uint64_t to)
{
    struct area *area = area_find(vm, old);

    if (!area || area->end < old + old_size)
        return -EFAULT;
    if (size / PAGE_SIZE > frames_total() || (area->shared && !area->vnode && size > old_size))
        return -ENOMEM; /* memory that others share has the size that it has */
    if (area_cut(vm, old, old + old_size) != 0)
        return -ENOMEM;
    uint64_t end = old + old_size, more = size - old_size;
    if (!(flags & MREMAP_FIXED) &&
        (!more || (end <= MMAP_TOP - MIN(more, MMAP_TOP) && !vm_overlaps(vm, end, more)))) {
        extend(area_find(vm, old), more);
        return old;
    }
    int error = new_place(vm, old, old_size, size, flags, &to);
    if (error == 0)
        error = move_area(vm, area_find(vm, old), to, size);
    return error ? error : (ssize_t)to;
}

static ssize_t sys_mremap(uint64_t old, uint64_t old_size, uint64_t size, uint32_t flags, uint64_t to)
{
    struct address_space *vm = current_process()->vm;

    if (old % PAGE_SIZE || (flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED)) || !size || !old_size ||
        ((flags & MREMAP_FIXED) && !(flags & MREMAP_MAYMOVE)))
        return -EINVAL;
    if (old < USER_START || old >= USER_END || old_size > USER_END - old)
        return -EFAULT;
    if (size > USER_END / 2)
        return -ENOMEM;
    old_size = ROUND_UP(old_size, PAGE_SIZE);
    size = ROUND_UP(size, PAGE_SIZE);
    if (size < old_size) {
        if (!area_find(vm, old))
            return -EFAULT;
        int error = vm_unmap(vm, old + size, old_size - size);
        if (error)
            return error;
        old_size = size;
    }
    return grow(vm, old, old_size, size, flags, to);
}

/* Is there an area at every address of the range? Sizes are rounded up. */
static bool mapped(uint64_t address, uint64_t size)
{
    if (!user_range(address, size))
        return false;
    uint64_t end = address + ROUND_UP(size, PAGE_SIZE);
    while (address < end) {
        struct area *area = area_find(current_process()->vm, address);
        if (!area)
            return false;
        address = area->end;
    }
    return true;
}

/* A program cannot write to a file through a mapping here, so that there is never anything to bring to the
 * disk. */
static ssize_t sys_msync(uint64_t address, uint64_t size, uint32_t flags)
{
    if (address % PAGE_SIZE || (flags & ~MS_KNOWN) || ((flags & MS_ASYNC) && (flags & MS_SYNC)))
        return -EINVAL;
    return mapped(address, size) ? 0 : -ENOMEM;
}

/* Nothing is ever moved out of memory: all of it is locked. */
static ssize_t sys_mlock(uint64_t address, uint64_t size)
{
    bool there =
        user_range(address, size) && mapped(ROUND_DOWN(address, PAGE_SIZE), size + address % PAGE_SIZE);

    return there ? 0 : -ENOMEM;
}

static ssize_t sys_mlockall(void)
{
    return 0;
}

SYSCALL(25, sys_mremap);
SYSCALL(26, sys_msync);
SYSCALL_AS(149, sys_mlock, mlock);
SYSCALL_AS(150, sys_mlock, munlock);
SYSCALL_AS(151, sys_mlockall, mlockall);
SYSCALL_AS(152, sys_mlockall, munlockall);
