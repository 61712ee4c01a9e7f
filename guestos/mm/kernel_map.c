/* The kernel's address space: made once, from what the loader reported, with no page both writable and
 * executable. */
#include "boot.h"
#include "cpu.h"
#include "frames.h"
#include "init.h"
#include "layout.h"
#include "paging.h"
#include "printk.h"

#define LOW_MEMORY_END 0x100000 /* left alone: firmware tables lie here, and further CPUs start here */
#define PAGE_1G        (1ul << 30)

extern char kernel_start[], kernel_text_end[], kernel_rodata_end[], kernel_data_end[], kernel_end[];
extern char boot_stack_guard[];

pte_t pte_noexec;
bool cpu_has_smap;
static bool has_1g_pages;

static uint64_t image_physical(const char *symbol)
{
    return (uint64_t)symbol - KERNEL_BASE;
}

/* Map with the largest pages that fit. Only used while starting up, when running out of memory is the end
 * anyway. */
static void map_range(uint64_t va, uint64_t physical, uint64_t end, uint64_t flags)
{
    uint64_t step;

    for (; physical < end; va += step, physical += step) {
        pte_t *table = phys_to_virt(kernel_pml4);
        int level = 3;
        uint64_t size = 512 * PAGE_1G;
        do { /* one level down, until a page of this level's size fits */
            pte_t *entry = &table[va >> (12 + 9 * level) & 511];
            if (!(*entry & PTE_PRESENT))
                *entry = frame_alloc_zero() | PTE_PRESENT | PTE_WRITE | PTE_USER;
            table = phys_to_virt(*entry & PTE_ADDRESS);
            level--;
            size /= 512;
        } while (level > 0 &&
                 ((level == 2 && !has_1g_pages) || va % size || physical % size || end - physical < size));
        step = size;
        table[va >> (12 + 9 * level) & 511] =
            physical | flags | PTE_PRESENT | PTE_GLOBAL | (level ? PTE_LARGE : 0);
    }
}

static void map_image_part(const char *start, const char *end, uint64_t flags)
{
    map_range((uint64_t)start, image_physical(start), image_physical(end), flags);
}

static void map_image(void)
{
    map_image_part(kernel_start, kernel_text_end, 0);
    map_image_part(kernel_text_end, kernel_rodata_end, PTE_NOEXEC);
    map_image_part(kernel_rodata_end, boot_stack_guard, PTE_NOEXEC | PTE_WRITE);
    map_image_part(boot_stack_guard + PAGE_SIZE, kernel_data_end, PTE_NOEXEC | PTE_WRITE);
    map_image_part(kernel_data_end, kernel_end, PTE_NOEXEC);
}

/* The direct map must not be a second way to write to the kernel's code and constants. */
static void map_direct(uint64_t start, uint64_t end)
{
    uint64_t code = image_physical(kernel_start), data = image_physical(kernel_rodata_end);

    if (start < code)
        map_range(DIRECT_BASE + start, start, MIN(end, code), PTE_NOEXEC | PTE_WRITE);
    if (start < data && end > code)
        map_range(DIRECT_BASE + MAX(start, code), MAX(start, code), MIN(end, data), PTE_NOEXEC);
    if (end > data)
        map_range(DIRECT_BASE + MAX(start, data), MAX(start, data), end, PTE_NOEXEC | PTE_WRITE);
}

/* Give [start, end) to the allocator, but for the parts that are in use: the image and the initrd. */
static void add_free(uint64_t start, uint64_t end)
{
    struct memory_range used[] = {
        {0, LOW_MEMORY_END},
        {image_physical(kernel_start), image_physical(kernel_end)},
        boot.initrd,
    };

    for (unsigned i = 0; i < ARRAY_SIZE(used); i++) {
        if (used[i].start >= end || used[i].end <= start)
            continue;
        if (used[i].start > start)
            add_free(start, used[i].start);
        start = MAX(start, used[i].end);
    }
    if (start < end)
        frames_add(start, end);
}

/* What a CPU needs before it uses the kernel's tables: also called for further CPUs. */
static void enable_protection(void)
{
    uint32_t features = cpuid(0, 0).eax >= 7 ? cpuid(7, 0).ebx : 0;

    cpu_has_smap = features & 1u << 20;
    write_cr4(read_cr4() | (features & 1u << 7 ? CR4_SMEP : 0) | (cpu_has_smap ? CR4_SMAP : 0));
}

/* The table of the area that grows later must exist before programs' tables take a copy of the upper half. */
static void reserve_map_area(void)
{
    pte_t *top = phys_to_virt(kernel_pml4);

    top[MAP_BASE >> 39 & 511] = frame_alloc_zero() | PTE_PRESENT | PTE_WRITE;
}

static void kernel_map_init(void)
{
    struct cpuid extended = cpuid(0x80000001, 0);

    pte_noexec = extended.edx & 1u << 20 ? 1ul << 63 : 0;
    has_1g_pages = extended.edx & 1u << 26;
    for (unsigned i = 0; i < boot.ram_count; i++)
        add_free(boot.ram[i].start, boot.ram[i].end);
    kernel_pml4 = frame_alloc_zero();
    if (!kernel_pml4)
        panic("no usable memory; give the machine at least 8 MiB");
    map_image();
    for (unsigned i = 0; i < boot.ram_count; i++)
        map_direct(ROUND_UP(boot.ram[i].start, PAGE_SIZE), ROUND_DOWN(boot.ram[i].end, PAGE_SIZE));
    reserve_map_area();
    write_cr3(kernel_pml4);
    enable_protection();
    printk("memory: %lu MiB free\r\n", frames_free() * PAGE_SIZE >> 20);
}

INIT(INIT_MEMORY, kernel_map_init);
