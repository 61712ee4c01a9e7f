/* Lab 4: the page walk on made-up tables: every mode, every right, every way to fail. */
/* sources: hypervisor/inspect/walk.c */
#include <stdlib.h>
#include <string.h>
#include <cpuid.h>
#include "expect.h"
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

static void expect_ok(uint64_t gva, unsigned access, const char *lesson)
{
    expect_true(go(gva, access), lesson);
}

static void expect_denied(uint64_t gva, unsigned access, const char *lesson)
{
    expect_true(!go(gva, access), lesson);
}

static void four_levels_lead_to_a_byte(void **state)
{
    (void)state;
    set(0x4000, 5, 0x9000 | P | W | U | NX | 0x7e0 | 7ull << 52); /* and bits that are no address */
    expect_ok(0x5123, WALK_WRITE | WALK_USER,
              "every level is present and allows reading and writing by ring 3");
    expect_number(
        w.gpa, 0x9123,
        "bits 51..12 of the last entry and bits 11..0 of the address: the other bits of an entry are flags "
        "(Intel SDM 3A §4.5)");
    expect_number(w.count, 4, "PML4, PDPT, PD and PT were looked at");
    expect_number(w.page_size, 4096, "an entry of the last level maps 4 KiB");
    expect_true(w.is_ram, "guest_ptr() knows this address");
    expect_text(w.levels[0].name, "PML4", "the walk begins at the top");
    expect_text(w.levels[3].name, "PT", "and ends in a page table");
}

static void nine_bits_of_the_address_are_each_levels_index(void **state)
{
    (void)state;
    set(0x1000, 3, 0x2000 | P | W | U);
    set(0x2000, 6, 0x3000 | P | W | U);
    set(0x3000, 7, 0x4000 | P | W | U);
    set(0x4000, 511, 0xa000 | P | W | U);
    expect_ok(3ull << 39 | 6ull << 30 | 7ull << 21 | 511ull << 12 | 0xfff, 0, "all four entries are present");
    expect_number(w.levels[0].index, 3, "the PML4's index is bits 47..39 of the address");
    expect_number(w.levels[1].index, 6, "the PDPT's index is bits 38..30");
    expect_number(w.levels[2].index, 7, "the PD's index is bits 29..21");
    expect_number(w.levels[3].index, 511, "the PT's index is bits 20..12");
    expect_number(w.levels[1].entry_gpa, 0x2030, "an entry lies at its table + 8 * index");
    expect_number(w.levels[3].entry_gpa, 0x4ff8, "the last entry of a table is entry 511");
    expect_number(w.levels[2].entry, 0x4000 | P | W | U, "the entry is kept as it was read");
    expect_number(w.gpa, 0xafff, "the last byte of the page");
}

static void each_level_may_be_missing(void **state)
{
    (void)state;
    for (unsigned level = 0; level < 4; level++) {
        setup(NULL);
        set(0x1000 * (level + 1), level == 3 ? 5 : 0, 0xfffffffffffffffe); /* all but P */
        expect_denied(0x5000, 0, "bit 0 (P) of an entry is clear: nothing is mapped");
        expect_number(w.count, level + 1, "the walk stops at the entry that is not present, and shows it");
        expect_text(w.why, "NOT PRESENT", "with P clear all other bits mean nothing, reserved ones included");
        expect_number(w.page_size, 0, "no page is mapped");
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
        expect_denied(0x5000, WALK_WRITE,
                      "one level without W (bit 1) makes the page read-only, whichever it is");
        expect_ok(0x5000, 0, "W does not matter for reading");
        set(table, index, entry | P | W);
        expect_denied(0x5000, WALK_USER, "one level without U (bit 2) keeps ring 3 out, whichever it is");
        expect_ok(0x5000, WALK_WRITE, "U does not matter for the kernel's writing");
        set(table, index, entry | P | W | U | NX);
        expect_denied(0x5000, WALK_FETCH, "one level with NX (bit 63) forbids execution, whichever it is");
        expect_ok(0x5000, WALK_WRITE | WALK_USER, "NX does not matter for data");
    }
}

static void without_wp_the_kernel_writes_anywhere(void **state)
{
    (void)state;
    set(0x4000, 5, 0x9000 | P | U);
    expect_denied(0x5000, WALK_WRITE, "with CR0.WP (bit 16) the kernel obeys a clear W bit, too");
    sregs.cr0 &= ~0x10000ull;
    expect_ok(0x5000, WALK_WRITE,
              "without CR0.WP the kernel may write to read-only pages (Intel SDM 3A §4.6.1)");
    expect_denied(0x5000, WALK_WRITE | WALK_USER, "ring 3 may not, whatever CR0.WP says");
}

static void smep_keeps_the_kernel_from_user_code(void **state)
{
    (void)state;
    expect_ok(0x5000, WALK_FETCH, "without CR4.SMEP (bit 20) the kernel may execute a program's page");
    sregs.cr4 |= 1 << 20;
    expect_denied(0x5000, WALK_FETCH,
                  "with SMEP the kernel may not execute where U is set (Intel SDM 3A §4.6.1)");
    expect_ok(0x5000, WALK_FETCH | WALK_USER,
              "SMEP does not bind ring 3: it is there to execute its own pages");
    set(0x4000, 5, 0x9000 | P | W);
    expect_ok(0x5000, WALK_FETCH, "without U it is a page of the kernel");
}

static void smap_keeps_the_kernel_from_user_data(void **state)
{
    (void)state;
    expect_ok(0x5000, WALK_SMAP, "CR4.SMAP (bit 21) is not switched on");
    sregs.cr4 |= 1 << 21;
    expect_denied(0x5000, WALK_SMAP,
                  "with SMAP the kernel may not read where U is set, while RFLAGS.AC is clear");
    expect_contains(w.why, "SMAP", "name what forbids it: only this word tells that STAC is missing");
    expect_denied(0x5000, WALK_SMAP | WALK_WRITE, "nor write");
    expect_ok(0x5000, WALK_SMAP | WALK_FETCH, "executing is SMEP's matter, not SMAP's");
    expect_ok(0x5000, WALK_WRITE, "without WALK_SMAP, RFLAGS.AC is set: STAC has opened the door");
    expect_ok(0x5000, WALK_USER, "SMAP does not bind ring 3");
    set(0x4000, 5, 0x9000 | P | W);
    expect_ok(0x5000, WALK_SMAP | WALK_WRITE, "without U it is a page of the kernel");
}

static void pages_outside_ram_are_marked(void **state)
{
    (void)state;
    expect_ok(0x5000, 0, "the page is mapped");
    expect_true(w.is_ram, "and it is RAM");
    set(0x4000, 5, 0xfee00000 | P | W);
    expect_ok(0x5000, 0, "a page may lead to a device: the walk itself does not mind");
    expect_true(!w.is_ram, "0xfee00000 is no RAM");
}

static void address_bits_that_the_cpu_lacks_are_reserved(void **state)
{
    unsigned bits = 36, eax, unused;

    (void)state;
    if (__get_cpuid(0x80000008, &eax, &unused, &unused, &unused))
        bits = eax & 0xff;
    for (unsigned bit = 32; bit < 52; bit++) {
        set(0x4000, 5, 0x9000 | P | 1ull << bit);
        expect_number(
            go(0x5000, 0), bit < bits,
            "a CPU has fewer than 52 address bits (CPUID 0x80000008); those it lacks are reserved in every "
            "entry: missing_address_bits()");
    }
    set(0x4000, 5, 0x9000 | P);
    set(0x1000, 0, 0x2000 | P | 1ull << 51);
    expect_number(go(0x5000, 0), bits > 51, "in the entries of tables as well");
}

static void large_pages_end_the_walk(void **state)
{
    (void)state;
    set(0x3000, 1, 0x600000 | P | W | PS);
    expect_ok(0x2abcde, 0, "PS (bit 7) in a page directory's entry: it maps a page, there is no table below");
    expect_number(w.page_size, 2 * MiB, "of 2 MiB");
    expect_number(w.gpa, 0x6abcde, "the offset within a 2 MiB page is bits 20..0 of the address");
    expect_number(w.count, 3, "PML4, PDPT, PD: no page table was looked at");
    set(0x2000, 3, 0x80000000 | P | PS);
    expect_ok(0xc1234567, 0, "PS in a PDPT's entry");
    expect_number(w.page_size, GiB, "maps 1 GiB");
    expect_number(w.gpa, 0x81234567, "the offset within a 1 GiB page is bits 29..0 of the address");
    set(0x4000, 6, 0x9000 | P | PS);
    expect_ok(0x6123, 0, "in a page table's entry bit 7 is PAT: it maps 4 KiB as any other");
    expect_number(w.page_size, 4096, "in a page table's entry bit 7 is PAT");
}

static void reserved_bits_are_found(void **state)
{
    (void)state;
    set(0x3000, 1, 0x602000 | P | PS);
    expect_denied(0x200000, 0,
                  "bits 20..13 of a 2 MiB page's entry are reserved: its address is a multiple of 2 MiB");
    expect_text(w.why, "A RESERVED BIT IS SET", "has_reserved_bits() says so");
    set(0x3000, 1, 0x601000 | P | PS);
    expect_ok(0x200000, 0, "bit 12 of a large page's entry is PAT, not address: it may be set");
    expect_number(w.gpa, 0x600000, "bit 12 of a large page's entry is not address");
    set(0x2000, 3, 0x80000000 | P | PS | 1ull << 29);
    expect_denied(0xc0000000, 0, "bits 29..13 of a 1 GiB page's entry are reserved");
    set(0x1000, 1, 0x2000 | P | PS);
    expect_denied(1ull << 39, 0, "bit 7 of a PML4's entry is reserved: pages of 512 GiB do not exist");
    set(0x4000, 5, 0x9000 | P | NX);
    expect_ok(0x5000, 0, "with EFER.NXE (bit 11) bit 63 is the no-execute bit");
    sregs.efer &= ~0x800ull;
    expect_denied(0x5000, 0,
                  "without EFER.NXE bit 63 is reserved, whatever the access is (Intel SDM 3A §4.5)");
}

static void five_levels(void **state)
{
    (void)state;
    sregs.cr4 |= 1 << 12;
    sregs.cr3 = 0x6000;
    set(0x6000, 0, 0x1000 | P | W | U);
    set(0x6000, 256, 0x1000 | P | W | U);
    expect_ok(0x5123, 0, "CR4.LA57 (bit 12) puts a PML5 above the PML4");
    expect_number(w.count, 5, "five tables were looked at");
    expect_ok(0xff00000000005123, 0, "with 57 bits this address is canonical");
    expect_number(w.levels[0].index, 256, "the PML5's index is bits 56..48 of the address");
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
    expect_ok(
        0xffe05010, WALK_WRITE | WALK_USER,
        "the 4 top entries of PAE carry no rights: bits 1 and 2 are reserved there (Intel SDM 3A §4.4.1)");
    expect_number(w.gpa, 0x9010, "bits 31..30, 29..21 and 20..12 are the indices");
    expect_number(w.count, 3, "PAE has three levels");
    expect_number(w.levels[0].index, 3, "the top table of PAE has 4 entries: two bits of index");
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
    expect_ok(0x402004, 0, "entries of 4 bytes, 10 bits of index each (struct mode)");
    expect_number(w.gpa, 0x9004, "0x402004 is entry 1, entry 2, byte 4");
    expect_denied(0x402004, WALK_WRITE, "the last entry has no W bit");
    expect_ok(0x812345, 0, "with CR4.PSE a directory's entry may map 4 MiB");
    expect_number(w.gpa, 0xc12345, "the offset within a 4 MiB page is bits 21..0");
    expect_number(w.page_size, 4 * MiB, "12 + 10 bits");
}

static void tables_outside_ram_are_reported(void **state)
{
    (void)state;
    sregs.cr3 = 0x7fff000;
    expect_denied(0x5000, 0, "the top table is not in RAM: the guest may put anything into CR3");
    expect_text(w.why, "CR3 POINTS OUTSIDE RAM", "say that it is CR3");
    expect_number(w.count, 0, "no entry could be read");
    sregs.cr3 = 0x1000;
    set(0x2000, 0, 0xffffff000 | P);
    expect_denied(0x5000, 0, "a table that is not in RAM cannot be read: guest_ptr() gives NULL");
    expect_text(w.why, "THE NEXT TABLE IS OUTSIDE RAM", "an entry leads there, not CR3");
    expect_number(w.count, 2, "the last entry that could be read is the one that leads there");
}

static void tables_that_point_at_themselves_end(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 512; i++)
        set(0x1000, i, 0x1000 | P | W | U);
    expect_ok(0x5000, 0,
              "a table may be its own page table: the number of levels ends the walk, not the tables");
    expect_number(w.gpa, 0x1000, "after four levels the page is the table itself");
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
        TEST(nine_bits_of_the_address_are_each_levels_index),
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
