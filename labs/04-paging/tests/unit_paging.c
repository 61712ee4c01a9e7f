/* The page tables of Moss, entry by entry: made, changed, flushed, taken apart. */
/* sources: guestos/mm/paging.c tests/unit/moss_host.c tests/unit/cpu_host.c */
#include "tests/unit/cpu_host.h"
#include "tests/unit/moss_host.h"
#include "expect.h"
#include "guestos/include/frames.h"
#include "guestos/include/paging.h"

#define RAM    (1ul << 20)
#define FRAMES (RAM / PAGE_SIZE)
#define NOEXEC (1ul << 63)
#define ALL    (PTE_PRESENT | PTE_WRITE | PTE_USER)
#define VA     (3ul << 39 | 5ul << 30 | 7ul << 21 | 9ul << 12) /* a different index at each level */
#define PAGE   0x123456000ul
#define TABLES 3 /* below the top one */
#define POISON 0xdd

/* An allocator that watches: who owns each frame, and when to say that there is none left. */
static unsigned owners[FRAMES], left, in_use;
static uint64_t next, pml4;

static pte_t given[8]; /* by pml4_destroy() */
static unsigned given_count;

uint64_t frame_alloc_zero(void)
{
    if (left == 0)
        return 0;
    left--;
    in_use++;
    owners[next] = 1;
    memset(phys_to_virt(next * PAGE_SIZE), 0, PAGE_SIZE);
    return next++ * PAGE_SIZE;
}

void frame_put(uint64_t physical)
{
    expect_true(physical / PAGE_SIZE < FRAMES && owners[physical / PAGE_SIZE] == 1,
                "frame_put() was given something that is not a table, or was freed already");
    owners[physical / PAGE_SIZE] = 0;
    in_use--;
    memset(phys_to_virt(physical), POISON, PAGE_SIZE); /* whoever gets it next writes to it */
}

static int begin(void **state)
{
    (void)state;
    moss_ram(RAM);
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    memset(owners, 0, sizeof owners);
    next = 1;
    in_use = given_count = cpu_host_flushes = 0;
    left = FRAMES - 1;
    pml4 = frame_alloc_zero();
    return 0;
}

/* The table that this entry leads to. */
static pte_t *below(pte_t entry)
{
    return phys_to_virt(entry & PTE_ADDRESS);
}

static pte_t *top(void)
{
    return phys_to_virt(pml4);
}

static void map(uint64_t va, uint64_t flags)
{
    expect_number((uint64_t)page_map(pml4, va, PAGE, flags), 0, "page_map() puts a page where none is");
}

/* ---- pte_find ---- */

static void missing_tables_are_made(void **state)
{
    pte_t *entry = pte_find(pml4, VA, true);

    (void)state;
    expect_number(in_use - 1, TABLES,
                  "below an empty PML4, a PDPT, a page directory and a page table are made");
    expect_true(top()[3] & PTE_PRESENT, "bits 47..39 of the address (here 3) are the index in the PML4");
    expect_true(below(top()[3])[5] & PTE_PRESENT, "bits 38..30 (here 5) are the index in the PDPT");
    pte_t *directory = below(below(top()[3])[5]);
    expect_true(directory[7] & PTE_PRESENT, "bits 29..21 (here 7) are the index in the page directory");
    expect_true(entry == &below(directory[7])[9],
                "bits 20..12 (here 9) are the index of the entry that is returned");
    expect_number(*entry, 0, "a fresh table is empty: frame_alloc_zero()");
    expect_true(pte_find(pml4, VA, true) == entry, "the second time, the same entry is found");
    expect_number(in_use - 1, TABLES, "and no table is made twice");
}

static void tables_themselves_allow_everything(void **state)
{
    static const char lesson[] =
        "an access is allowed only if every level allows it (Intel SDM 3A §4.6), and the "
        "page below may be writable and a program's: set P, W and U in each table's entry";

    (void)state;
    pte_find(pml4, VA, true);
    expect_number(top()[3] & 0xfff, ALL, lesson);
    expect_number(below(top()[3])[5] & 0xfff, ALL, lesson);
    expect_number(below(below(top()[3])[5])[7] & 0xfff, ALL, lesson);
}

static void looking_makes_no_table(void **state)
{
    (void)state;
    expect_true(!pte_find(pml4, VA, false), "there is no table for this address, and create is false: NULL");
    expect_number(in_use, 1, "looking takes no memory");
    expect_number(top()[3], 0, "looking changes no entry");
    map(VA, ALL);
    expect_true(pte_find(pml4, VA, false) == pte_find(pml4, VA, true),
                "tables that are there are found either way");
}

static void used_up_memory_gives_null(void **state)
{
    (void)state;
    for (unsigned tables = 0; tables < TABLES; tables++) {
        uint64_t va = VA + ((uint64_t)(tables + 1) << 39);
        left = tables;
        expect_true(!pte_find(pml4, va, true), "frame_alloc_zero() gave 0, no memory: return NULL");
        left = FRAMES / 2;
        pte_t *entry = pte_find(pml4, va, true);
        expect_true(entry && below(top()[va >> 39]) != phys_to_virt(0),
                    "physical 0 is no table: where memory was used up the entry must stay 0");
        expect_number(in_use - 1, TABLES * (tables + 1),
                      "what was made before memory was used up is used later");
    }
}

static void bits_of_an_entry_that_are_no_address_are_masked(void **state)
{
    pte_t *entry = pte_find(pml4, VA, true);

    (void)state;
    top()[3] |= NOEXEC | 0x20; /* a no-execute bit, and the CPU has been here (accessed) */
    below(top()[3])[5] |= 7ul << 52 | 0xe00;
    expect_true(pte_find(pml4, VA, false) == entry,
                "bits 11..0 and 63..52 of an entry are no address: entry & PTE_ADDRESS (Intel SDM 3A §4.5)");
}

static void a_large_page_is_no_table(void **state)
{
    (void)state;
    pte_find(pml4, VA, true);
    below(below(top()[3])[5])[8] = 0x600000 | ALL | PTE_LARGE; /* 2 MiB: data, not entries */
    expect_panic("is in a large page", pte_find(pml4, VA + (1ul << 21), false));
    below(top()[3])[6] = 0x40000000 | ALL | PTE_LARGE; /* 1 GiB */
    expect_panic("is in a large page", pte_find(pml4, VA + (1ul << 30), true));
}

/* ---- page_unmap ---- */

static pte_t *watched;
static pte_t at_flush; /* what the entry was when the CPU was told to forget it */

static void note_entry(uint64_t va)
{
    (void)va;
    at_flush = *watched;
}

static void an_unmapped_page_is_gone_and_the_cpu_forgets_it(void **state)
{
    (void)state;
    cpu_host_begin();
    map(VA, PTE_PRESENT | PTE_WRITE | NOEXEC);
    watched = pte_find(pml4, VA, false);
    cpu_host_on_flush = note_entry;
    expect_number(page_unmap(pml4, VA), PAGE,
                  "the physical address is returned, without the flags of the entry");
    expect_number(*watched, 0, "the entry is empty afterwards");
    expect_number(
        cpu_host_flushes, 1,
        "the CPU keeps translations in its TLB until INVLPG (Intel SDM 3A §4.10.4.1): without it, it uses "
        "the page on when the frame belongs to somebody else");
    expect_number(cpu_host_flushed, VA, "INVLPG takes the virtual address of the page, not the physical one");
    expect_number(at_flush, 0,
                  "first the entry, then the flush: in between the CPU could load the old entry again");
    expect_number((uint64_t)page_map(pml4, VA, PAGE, ALL), 0, "the address can be used anew");
}

static void unmapping_where_nothing_is_does_nothing(void **state)
{
    (void)state;
    cpu_host_begin();
    expect_number(page_unmap(pml4, VA), 0, "there is not even a table: 0");
    expect_number(in_use, 1, "and none is made for it");
    map(VA, ALL);
    expect_number(page_unmap(pml4, VA + PAGE_SIZE), 0, "there is a table, and its entry is empty: 0");
    expect_number(*pte_find(pml4, VA, false), PAGE | ALL, "the neighbour stays mapped");
    expect_number(page_unmap(pml4, VA), PAGE, "the neighbour can be unmapped");
    expect_number(page_unmap(pml4, VA), 0, "but once only");
}

static void a_page_that_nobody_may_use_still_has_a_frame(void **state)
{
    (void)state;
    cpu_host_begin();
    map(VA, PTE_NOACCESS);
    expect_number(
        page_unmap(pml4, VA), PAGE,
        "an entry that is not 0 holds a frame even if P is clear (paging.h, PTE_NOACCESS): it would be lost");
    expect_number(*pte_find(pml4, VA, false), 0, "the entry is empty afterwards");
}

/* ---- destroy_table, by pml4_destroy ---- */

static void note_page(pte_t entry)
{
    if (given_count < 8)
        given[given_count] = entry;
    given_count++;
}

static void every_page_is_given_back_once(void **state)
{
    (void)state;
    map(0, ALL);
    map(VA, PTE_PRESENT | NOEXEC);
    map(VA + PAGE_SIZE, PTE_NOACCESS);
    map(USER_END - PAGE_SIZE, ALL);
    pml4_destroy(pml4, note_page);
    expect_number(given_count, 4, "page() is called for every entry of a page table that is not 0");
    expect_number(given[0], PAGE | ALL, "the whole entry is given, flags and all: from the lowest address");
    expect_number(given[1], PAGE | PTE_PRESENT | NOEXEC, "the whole entry is given, flags and all");
    expect_number(given[2], PAGE | PTE_NOACCESS,
                  "an entry with P clear may hold a frame, too (PTE_NOACCESS)");
    expect_number(given[3], PAGE | ALL, "the last page of the lower half is the program's, too");
}

static void every_table_is_freed_once(void **state)
{
    (void)state;
    map(0, ALL);
    map(VA, ALL);
    map(VA + (1ul << 21), ALL);
    map(VA + (1ul << 30), ALL);
    pml4_destroy(pml4, note_page);
    expect_number(given_count, 4, "four pages were mapped");
    expect_number(in_use, 0,
                  "the tables of all levels, and the PML4, are freed: frame_put(virt_to_phys(table))");
}

static void what_lies_in_the_upper_half_is_not_the_programs(void **state)
{
    (void)state;
    cpu_host_begin();
    kernel_pml4 = pml4;
    map(1ul << 47, PTE_PRESENT | PTE_WRITE);
    unsigned kernel = in_use;
    uint64_t program = pml4_create();
    expect_number((uint64_t)page_map(program, VA, PAGE, ALL), 0, "page_map() puts a page where none is");
    pml4_destroy(program, note_page);
    expect_number(given_count, 1, "one page was the program's");
    expect_number(
        in_use, kernel,
        "entries 256 to 511 of a program's PML4 lead to the kernel's own tables: all programs share them");
    expect_number(page_unmap(pml4, 1ul << 47), PAGE, "the kernel's tables are as they were");
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(missing_tables_are_made),
        TEST(tables_themselves_allow_everything),
        TEST(looking_makes_no_table),
        TEST(used_up_memory_gives_null),
        TEST(bits_of_an_entry_that_are_no_address_are_masked),
        TEST(a_large_page_is_no_table),
        TEST(an_unmapped_page_is_gone_and_the_cpu_forgets_it),
        TEST(unmapping_where_nothing_is_does_nothing),
        TEST(a_page_that_nobody_may_use_still_has_a_frame),
        TEST(every_page_is_given_back_once),
        TEST(every_table_is_freed_once),
        TEST(what_lies_in_the_upper_half_is_not_the_programs),
    };

    return cmocka_run_group_tests(tests, begin, NULL);
}
