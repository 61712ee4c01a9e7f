/* Lab 4: the page walk on made-up tables: every mode, every right, every way to fail. */
/* sources: hypervisor/inspect/walk.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <cpuid.h>
#include "inspect/inspect.h"

#define P  1ull
#define W  2ull
#define U  4ull
#define PS 0x80ull
#define NX (1ull << 63)

static uint8_t ram[64 * 4096];
static struct kvm_sregs sregs;
static struct walk w;

void *guest_ptr(struct vm *vm, uint64_t gpa, uint64_t size)
{
    (void)vm;
    return gpa < sizeof ram && size <= sizeof ram - gpa ? ram + gpa : NULL;
}

static void set(uint64_t table, unsigned index, uint64_t entry)
{
    memcpy(ram + table + index * 8, &entry, 8);
}

static void set32(uint64_t table, unsigned index, uint32_t entry)
{
    memcpy(ram + table + index * 4, &entry, 4);
}

/* Four levels at 0x1000, 0x2000, 0x3000, 0x4000; page 5 at gva 0x5000. */
static int setup(void **state)
{
    (void)state;
    memset(ram, 0, sizeof ram);
    sregs = (struct kvm_sregs){.cr0 = 0x80010001, .cr3 = 0x1000, .cr4 = 0x20, .efer = 0xd00};
    set(0x1000, 0, 0x2000 | P | W | U);
    set(0x2000, 0, 0x3000 | P | W | U);
    set(0x3000, 0, 0x4000 | P | W | U);
    set(0x4000, 5, 0x9000 | P | W | U);
    return 0;
}

static bool go(uint64_t gva, unsigned access)
{
    return walk(NULL, &sregs, gva, access, &w);
}

static void four_levels_lead_to_a_byte(void **state)
{
    (void)state;
    assert_true(go(0x5123, WALK_WRITE | WALK_USER));
    assert_int_equal(w.gpa, 0x9123);
    assert_int_equal(w.count, 4);
    assert_int_equal(w.page_size, 4096);
    assert_int_equal(w.levels[3].index, 5);
    assert_int_equal(w.levels[3].entry_gpa, 0x4028);
    assert_string_equal(w.levels[0].name, "PML4");
}

static void each_level_may_be_missing(void **state)
{
    (void)state;
    for (unsigned level = 0; level < 4; level++) {
        setup(NULL);
        set(0x1000 * (level + 1), level == 3 ? 5 : 0, 0);
        assert_false(go(0x5000, 0));
        assert_int_equal(w.count, level + 1);
        assert_string_equal(w.why, "NOT PRESENT");
    }
}

static void rights_are_those_of_all_levels_together(void **state)
{
    (void)state;
    for (unsigned level = 0; level < 4; level++) {
        uint64_t table = 0x1000 * (level + 1), entry = level == 3 ? 0x9000 : table + 0x1000;
        unsigned index = level == 3 ? 5 : 0;
        setup(NULL);
        set(table, index, entry | P | U);
        assert_false(go(0x5000, WALK_WRITE));
        assert_true(go(0x5000, 0));
        set(table, index, entry | P | W);
        assert_false(go(0x5000, WALK_USER));
        assert_true(go(0x5000, WALK_WRITE));
        set(table, index, entry | P | W | U | NX);
        assert_false(go(0x5000, WALK_FETCH));
        assert_true(go(0x5000, WALK_WRITE | WALK_USER));
    }
}

static void without_wp_the_kernel_writes_anywhere(void **state)
{
    (void)state;
    set(0x4000, 5, 0x9000 | P | U);
    sregs.cr0 &= ~0x10000ull;
    assert_true(go(0x5000, WALK_WRITE));
    assert_false(go(0x5000, WALK_WRITE | WALK_USER));
}

static void smep_keeps_the_kernel_from_user_code(void **state)
{
    (void)state;
    sregs.cr4 |= 1 << 20;
    assert_false(go(0x5000, WALK_FETCH));
    assert_true(go(0x5000, WALK_FETCH | WALK_USER));
}

static void smap_keeps_the_kernel_from_user_data(void **state)
{
    (void)state;
    assert_true(go(0x5000, WALK_SMAP)); /* not switched on */
    sregs.cr4 |= 1 << 21;
    assert_false(go(0x5000, WALK_SMAP));
    assert_non_null(strstr(w.why, "SMAP"));
    assert_false(go(0x5000, WALK_SMAP | WALK_WRITE));
    assert_true(go(0x5000, WALK_SMAP | WALK_FETCH)); /* that is SMEP's matter */
    assert_true(go(0x5000, WALK_WRITE));             /* RFLAGS.AC is set */
    assert_true(go(0x5000, WALK_USER));
    set(0x4000, 5, 0x9000 | P | W);
    assert_true(go(0x5000, WALK_SMAP | WALK_WRITE));
}

static void pages_outside_ram_are_marked(void **state)
{
    (void)state;
    assert_true(go(0x5000, 0));
    assert_true(w.is_ram);
    set(0x4000, 5, 0xfee00000 | P | W);
    assert_true(go(0x5000, 0));
    assert_false(w.is_ram);
}

static void address_bits_that_the_cpu_lacks_are_reserved(void **state)
{
    unsigned bits = 36, eax, unused;

    (void)state;
    if (__get_cpuid(0x80000008, &eax, &unused, &unused, &unused))
        bits = eax & 0xff;
    for (unsigned bit = 32; bit < 52; bit++) {
        set(0x4000, 5, 0x9000 | P | 1ull << bit);
        assert_int_equal(go(0x5000, 0), bit < bits);
    }
}

static void large_pages_end_the_walk(void **state)
{
    (void)state;
    set(0x3000, 1, 0x600000 | P | W | PS);
    assert_true(go(0x2abcde, 0));
    assert_int_equal(w.gpa, 0x6abcde);
    assert_int_equal(w.page_size, 2 * MiB);
    set(0x2000, 3, 0x80000000 | P | PS);
    assert_true(go(0xc1234567, 0));
    assert_int_equal(w.gpa, 0x81234567);
    assert_int_equal(w.page_size, GiB);
}

static void reserved_bits_are_found(void **state)
{
    (void)state;
    set(0x3000, 1, 0x602000 | P | PS); /* not aligned to 2 MiB */
    assert_false(go(0x200000, 0));
    assert_string_equal(w.why, "A RESERVED BIT IS SET");
    set(0x1000, 1, 0x2000 | P | PS); /* the top level has no large pages */
    assert_false(go(1ull << 39, 0));
    sregs.efer &= ~0x800ull; /* without NXE the NX bit is reserved */
    set(0x4000, 5, 0x9000 | P | NX);
    assert_false(go(0x5000, 0));
}

static void five_levels(void **state)
{
    (void)state;
    sregs.cr4 |= 1 << 12;
    sregs.cr3 = 0x6000;
    set(0x6000, 0, 0x1000 | P | W | U);
    set(0x6000, 256, 0x1000 | P | W | U);
    assert_true(go(0x5123, 0));
    assert_int_equal(w.count, 5);
    assert_true(go(0xff00000000005123, 0)); /* canonical with 57 bits */
    assert_int_equal(w.levels[0].index, 256);
}

static void addresses_must_be_canonical(void **state)
{
    (void)state;
    assert_false(go(0x0000800000000000, 0));
    assert_int_equal(w.count, 0);
    assert_non_null(strstr(w.why, "CANONICAL"));
    set(0x1000, 256, 0x2000 | P);
    assert_true(go(0xffff800000005000, 0));
}

static void paging_off_is_the_identity(void **state)
{
    (void)state;
    sregs.cr0 = 1;
    assert_true(go(0x12345678, WALK_WRITE | WALK_FETCH));
    assert_int_equal(w.gpa, 0x12345678);
    assert_int_equal(w.count, 0);
}

static void pae_has_three_levels(void **state)
{
    (void)state;
    sregs.efer = 0;
    sregs.cr3 = 0x1020; /* 32 bytes, aligned to 32 */
    set(0x1020, 3, 0x3000 | P);
    set(0x3000, 511, 0x4000 | P | W | U);
    assert_true(go(0xffe05010, WALK_WRITE | WALK_USER));
    assert_int_equal(w.gpa, 0x9010);
    assert_int_equal(w.count, 3);
}

static void old_32_bit_paging_has_two_levels(void **state)
{
    (void)state;
    sregs.efer = 0;
    sregs.cr4 = 0x10;
    memset(ram, 0, sizeof ram);
    set32(0x1000, 1, 0x4000 | P | W);
    set32(0x4000, 2, 0x9000 | P);
    set32(0x1000, 2, 0x00c00000 | P | PS);
    assert_true(go(0x402004, 0));
    assert_int_equal(w.gpa, 0x9004);
    assert_false(go(0x402004, WALK_WRITE));
    assert_true(go(0x812345, 0));
    assert_int_equal(w.gpa, 0xc12345);
    assert_int_equal(w.page_size, 4 * MiB);
}

static void tables_outside_ram_are_reported(void **state)
{
    (void)state;
    sregs.cr3 = 0x7fff000;
    assert_false(go(0x5000, 0));
    assert_string_equal(w.why, "CR3 POINTS OUTSIDE RAM");
    sregs.cr3 = 0x1000;
    set(0x2000, 0, 0xffffff000 | P);
    assert_false(go(0x5000, 0));
    assert_string_equal(w.why, "THE NEXT TABLE IS OUTSIDE RAM");
    assert_int_equal(w.count, 2);
}

static void tables_that_point_at_themselves_end(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 512; i++)
        set(0x1000, i, 0x1000 | P | W | U);
    assert_true(go(0x5000, 0));
    assert_int_equal(w.gpa, 0x1000);
}

static void reading_stops_at_the_first_unmapped_byte(void **state)
{
    (void)state;
    uint8_t data[16];

    memset(ram + 0x9000, 0xab, 4096);
    assert_int_equal(walk_read(NULL, &sregs, 0x5ff8, data, 16), 8);
    assert_int_equal(data[7], 0xab);
}

static void random_tables_do_no_harm(void **state)
{
    (void)state;
    srand(11);
    for (size_t i = 0; i < sizeof ram / 8; i++)
        set(0, (unsigned)i, ((uint64_t)rand() << 32 | (uint64_t)rand()) & 0x803fffff0000ffffull);
    for (int i = 0; i < 100000; i++) {
        sregs.cr3 = (uint64_t)rand() << 8;
        sregs.cr4 = (unsigned)rand() & 0x301030;
        sregs.efer = (unsigned)rand() & 0xc00;
        go((uint64_t)rand() << 32 | (uint64_t)rand(), (unsigned)rand() & 15);
        assert_true(w.count <= 5);
    }
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(four_levels_lead_to_a_byte),
        TEST(each_level_may_be_missing),
        TEST(rights_are_those_of_all_levels_together),
        TEST(without_wp_the_kernel_writes_anywhere),
        TEST(smep_keeps_the_kernel_from_user_code),
        TEST(smap_keeps_the_kernel_from_user_data),
        TEST(pages_outside_ram_are_marked),
        TEST(address_bits_that_the_cpu_lacks_are_reserved),
        TEST(large_pages_end_the_walk),
        TEST(reserved_bits_are_found),
        TEST(five_levels),
        TEST(addresses_must_be_canonical),
        TEST(paging_off_is_the_identity),
        TEST(pae_has_three_levels),
        TEST(old_32_bit_paging_has_two_levels),
        TEST(tables_outside_ram_are_reported),
        TEST(tables_that_point_at_themselves_end),
        TEST(reading_stops_at_the_first_unmapped_byte),
        TEST(random_tables_do_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
