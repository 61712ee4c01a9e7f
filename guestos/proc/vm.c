/* Address spaces: pages appear when they are first touched, and are copied when they are first written to. */
#include "area.h"
#include "cpu.h"
#include "errno.h"
#include "fault.h"
#include "frames.h"
#include "heap.h"
#include "layout.h"
#include "paging.h"
#include "string.h"
#include "vfs.h"
#include "vm.h"

struct address_space *vm_create(void)
{
    struct address_space *vm = kmalloc(sizeof(*vm));

    if (!vm)
        return NULL;
    vm->refs = 1;
    vm->pml4 = pml4_create();
    if (!vm->pml4) {
        kfree(vm);
        return NULL;
    }
    return vm;
}

struct address_space *vm_share(struct address_space *vm)
{
    __atomic_add_fetch(&vm->refs, 1, __ATOMIC_RELAXED);
    return vm;
}

static void put_page(pte_t entry)
{
    frame_put(entry & PTE_ADDRESS);
}

void vm_put(struct address_space *vm)
{
    if (__atomic_sub_fetch(&vm->refs, 1, __ATOMIC_ACQ_REL))
        return;
    area_remove(vm, 0, UINT64_MAX);
    pml4_destroy(vm->pml4, put_page);
    kfree(vm);
}

/* The flags of a page that belongs to this area alone. */
static pte_t page_flags(const struct area *area)
{
    if (!area->prot)
        return PTE_NOACCESS; /* not PTE_PRESENT: not even the kernel's copies may reach it */
    return PTE_PRESENT | PTE_USER | (area->prot & PROT_WRITE ? PTE_WRITE : 0) |
           (area->prot & PROT_EXEC ? 0 : PTE_NOEXEC) | (area->shared ? PTE_SHARED : 0);
}

static uint64_t alloc_page(void)
{
    uint64_t frame;

    while (!(frame = frame_alloc_user()) && out_of_memory())
        ;
    return frame;
}

/* Put into the frame what the area says is at `page`. */
static int fill_page(const struct area *area, uint64_t page, uint64_t frame)
{
    char *to = phys_to_virt(frame);
    uint64_t end = MIN(area->file_end, page + PAGE_SIZE);
    ssize_t n = 0;

    if (area->vnode && end > page) {
        n = vnode_read(area->vnode, to, end - page, area->offset + (page - area->start));
        if (n < 0)
            return n;
        if (n == 0)
            return -EIO; /* a page wholly beyond the end of its file */
    }
    memset(to + n, 0, PAGE_SIZE - n);
    return 0;
}

static int add_page(struct address_space *vm, const struct area *area, uint64_t page)
{
    uint64_t frame = alloc_page();
    int error = frame ? fill_page(area, page, frame) : -ENOMEM;

    if (error == 0)
        error = page_map(vm->pml4, page, frame, page_flags(area));
    if (error == 0)
        vm->resident++;
    else if (frame)
        frame_put(frame);
    return error;
}

/* The first write to a page that is shared since a fork: the last one to come keeps the original. */
static int copy_page(pte_t *entry, uint64_t page)
{
    uint64_t old = *entry & PTE_ADDRESS, frame = old;

    if (frame_refs(old) > 1) {
        frame = alloc_page();
        if (!frame)
            return -ENOMEM;
        memcpy(phys_to_virt(frame), phys_to_virt(old), PAGE_SIZE);
        frame_put(old);
    }
    *entry = frame | (*entry & ~(PTE_ADDRESS | PTE_COW)) | PTE_WRITE;
    tlb_flush_page(page);
    return 0;
}

int vm_fault(struct address_space *vm, uint64_t address, uint32_t access)
{
    uint64_t page = ROUND_DOWN(address, PAGE_SIZE);
    struct area *area = address < USER_END ? area_find(vm, address) : NULL;

    if (!area)
        return -EFAULT;
    if (!(area->prot & access))
        return -EACCES;
    pte_t *entry = pte_find(vm->pml4, page, false);
    if (!entry || !*entry)
        return add_page(vm, area, page);
    if (access == PROT_WRITE && (*entry & PTE_COW))
        return copy_page(entry, page);
    tlb_flush_page(page); /* the tables allow it: the CPU remembered an older state */
    return 0;
}

/* The next page from `page` on, before `end`, that has a frame; `end` if none has. */
static uint64_t next_page(struct address_space *vm, uint64_t page, uint64_t end, pte_t **entry)
{
    while (page < end) {
        *entry = pte_find(vm->pml4, page, false);
        if (*entry && **entry)
            return page;
        page = *entry ? page + PAGE_SIZE
                      : (page | (512 * PAGE_SIZE - 1)) + 1; /* no table: skip all that it would map */
    }
    return end;
}

#define for_each_page(vm, page, entry, area)                                                                 \
    for (uint64_t page = next_page(vm, (area)->start, (area)->end, &entry); page < (area)->end;              \
         page = next_page(vm, page + PAGE_SIZE, (area)->end, &entry))

/* Share all pages of an area with another address space. */
static int fork_pages(struct address_space *from, struct address_space *to, const struct area *area)
{
    pte_t *entry;

    for_each_page (from, page, entry, area) {
        if (!area->shared && (*entry & PTE_WRITE))
            *entry = (*entry & ~PTE_WRITE) | PTE_COW;
        if (page_map(to->pml4, page, *entry & PTE_ADDRESS, *entry & ~PTE_ADDRESS) != 0)
            return -ENOMEM;
        frame_get(*entry & PTE_ADDRESS);
        to->resident++;
    }
    return 0;
}

static int fork_areas(struct address_space *from, struct address_space *to)
{
    struct area **end = &to->areas;

    for (struct area *area = from->areas; area; area = area->next) {
        struct area *copy = area_clone(area);
        if (!copy)
            return -ENOMEM;
        *end = copy; /* where area_insert() would, after a walk, put it */
        end = &copy->next;
        to->area_count++;
        if (fork_pages(from, to, area) != 0)
            return -ENOMEM;
    }
    return 0;
}

struct address_space *vm_fork(struct address_space *from)
{
    struct address_space *to = vm_create();

    if (!to)
        return NULL;
    to->brk_start = from->brk_start;
    to->brk = from->brk;
    int error = fork_areas(from, to);
    write_cr3(read_cr3()); /* our own pages have become read-only: forget the old entries */
    if (error) {
        vm_put(to);
        return NULL;
    }
    return to;
}

static bool range_ok(uint64_t start, uint64_t size)
{
    return start % PAGE_SIZE == 0 && size % PAGE_SIZE == 0 && size && start >= USER_START &&
           start < USER_END && size <= USER_END - start;
}

/* Shared memory without a file must exist before a fork, or the processes would each get pages of their own.
 */
static int fill_shared(struct address_space *vm, const struct area *area)
{
    for (uint64_t page = area->start; page < area->end; page += PAGE_SIZE)
        if (add_page(vm, area, page) != 0)
            return -ENOMEM;
    return 0;
}

int vm_map(struct address_space *vm, uint64_t start, uint64_t size, uint32_t prot, bool shared,
           struct vnode *vnode, uint64_t offset, uint64_t file_size)
{
    prot |= prot ? PROT_READ : 0; /* the CPU knows no page that can be written or executed but not read */
    struct area new = {NULL, start, start + size, prot, shared, vnode, offset, start + file_size};

    if (!range_ok(start, size))
        return -EINVAL;
    if (size / PAGE_SIZE > frames_total())
        return -ENOMEM; /* could never be used */
    int error = vm_unmap(vm, start, size);
    if (error == 0)
        error = area_add(vm, &new);
    if (error)
        return error;
    if (shared && !vnode && fill_shared(vm, &new) != 0) {
        vm_unmap(vm, start, size);
        return -ENOMEM;
    }
    return 0;
}

static void unmap_pages(struct address_space *vm, const struct area *area)
{
    pte_t *entry;

    for_each_page (vm, page, entry, area) {
        frame_put(page_unmap(vm->pml4, page));
        vm->resident--;
    }
}

int vm_unmap(struct address_space *vm, uint64_t start, uint64_t size)
{
    if (!range_ok(start, size))
        return -EINVAL;
    if (area_cut(vm, start, start + size) != 0)
        return -ENOMEM;
    for (struct area *area = vm->areas; area; area = area->next)
        if (area->start >= start && area->end <= start + size)
            unmap_pages(vm, area);
    area_remove(vm, start, start + size);
    return 0;
}

int vm_forget(struct address_space *vm, uint64_t start, uint64_t size)
{
    if (!range_ok(start, size))
        return -EINVAL;
    if (area_cut(vm, start, start + size) != 0)
        return -ENOMEM;
    for (struct area *area = vm->areas; area; area = area->next)
        if (area->start >= start && area->end <= start + size && !area->shared)
            unmap_pages(vm, area);
    return 0;
}

/* Give the pages of an area, as far as they exist, the rights that it has now. */
static void reprotect(struct address_space *vm, const struct area *area)
{
    pte_t *entry;

    for_each_page (vm, page, entry, area) {
        pte_t flags = page_flags(area);
        if ((flags & PTE_WRITE) && !area->shared && frame_refs(*entry & PTE_ADDRESS) > 1)
            flags = (flags & ~PTE_WRITE) | PTE_COW;
        *entry = (*entry & PTE_ADDRESS) | flags;
        tlb_flush_page(page);
    }
}

static bool fully_mapped(struct address_space *vm, uint64_t start, uint64_t end)
{
    while (start < end) {
        struct area *area = area_find(vm, start);
        if (!area)
            return false;
        start = area->end;
    }
    return true;
}

int vm_protect(struct address_space *vm, uint64_t start, uint64_t size, uint32_t prot)
{
    if (!range_ok(start, size))
        return -EINVAL;
    if (!fully_mapped(vm, start, start + size) || area_cut(vm, start, start + size) != 0)
        return -ENOMEM;
    for (struct area *area = vm->areas; area; area = area->next) {
        if (area->start < start || area->end > start + size)
            continue;
        area->prot = prot | (prot ? PROT_READ : 0);
        reprotect(vm, area);
    }
    return 0;
}
