/* Kernel addresses that are mapped page by page: stacks, large buffers, device registers. */
#include "cpu.h"
#include "frames.h"
#include "layout.h"
#include "paging.h"
#include "spinlock.h"
#include "string.h"

#define MAP_PAGES ((MAP_END - MAP_BASE) / PAGE_SIZE)

static uint8_t taken[MAP_PAGES]; /* one for each page of addresses */
static size_t first_free;        /* no free address lies below this page */
static struct spinlock lock;     /* guards both, and the page tables of this area */

/* Find `pages` free addresses in a row and take them. Returns the number of the first, or MAP_PAGES. */
static size_t take_addresses(size_t pages)
{
    size_t run = 0;

    for (size_t i = first_free; i < MAP_PAGES; i++) {
        run = taken[i] ? 0 : run + 1;
        if (run == pages) {
            size_t start = i + 1 - pages;
            memset(taken + start, 1, pages);
            if (start == first_free)
                first_free = i + 1;
            return start;
        }
    }
    return MAP_PAGES;
}

static void give_addresses(size_t start, size_t pages)
{
    memset(taken + start, 0, pages);
    first_free = MIN(first_free, start);
}

static uint64_t address_of(size_t page)
{
    return MAP_BASE + page * PAGE_SIZE;
}

static int fill(uint64_t va, size_t pages)
{
    for (size_t i = 0; i < pages; i++) {
        uint64_t frame = frame_alloc();
        if (!frame)
            return -1;
        if (page_map(kernel_pml4, va + i * PAGE_SIZE, frame, PTE_PRESENT | PTE_WRITE | PTE_NOEXEC) != 0) {
            frame_put(frame);
            return -1;
        }
    }
    return 0;
}

static void empty(uint64_t va, size_t pages)
{
    for (size_t i = 0; i < pages; i++) {
        uint64_t frame = page_unmap(kernel_pml4, va + i * PAGE_SIZE);
        if (frame)
            frame_put(frame);
    }
}

void *map_alloc(size_t pages)
{
    void *result = NULL;

    if (pages >= MAP_PAGES)
        return NULL;
    spin_lock(&lock);
    size_t start =
        take_addresses(pages + 1); /* the first stays unmapped: it guards what follows it from below */
    if (start < MAP_PAGES) {
        uint64_t va = address_of(start + 1);
        if (fill(va, pages) == 0) {
            result = (void *)va;
        } else {
            empty(va, pages);
            give_addresses(start, pages + 1);
        }
    }
    spin_unlock(&lock);
    return result;
}

void map_free(void *address, size_t pages)
{
    spin_lock(&lock);
    empty((uint64_t)address, pages);
    give_addresses(((uint64_t)address - MAP_BASE) / PAGE_SIZE - 1, pages + 1);
    spin_unlock(&lock);
}

volatile void *map_device(uint64_t physical, size_t size)
{
    uint64_t offset = physical % PAGE_SIZE;
    size_t pages = ROUND_UP(offset + size, PAGE_SIZE) / PAGE_SIZE;

    spin_lock(&lock);
    size_t start = take_addresses(pages + 1);
    uint64_t va = start < MAP_PAGES ? address_of(start + 1) : 0;
    for (size_t i = 0; va && i < pages; i++)
        if (page_map(kernel_pml4, va + i * PAGE_SIZE, physical - offset + i * PAGE_SIZE,
                     PTE_PRESENT | PTE_WRITE | PTE_NOEXEC | PTE_NOCACHE) != 0)
            va = 0;
    spin_unlock(&lock);
    return va ? (volatile char *)va + offset : NULL;
}
