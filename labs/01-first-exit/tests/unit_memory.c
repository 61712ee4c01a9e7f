/* Lab 1: the one way into guest memory turns down whatever is not RAM. */
/* sources: hypervisor/memory.c hypervisor/host.c */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "expect.h"
#include "vm.h"

static uint8_t low[4096], high[4096];
static struct vm *vm;

/* RAM at 0..4095 and at 4 GiB..4 GiB+4095, as if everything between were the hole. */
static int setup(void **state)
{
    (void)state;
    vm = calloc(1, sizeof *vm);
    vm->memory = sizeof low + sizeof high;
    vm->ram[0] = (struct ram){.gpa = 0, .size = sizeof low, .hva = low};
    vm->ram[1] = (struct ram){.gpa = RAM_HIGH_BASE, .size = sizeof high, .hva = high};
    vm->ram_count = 2;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(vm);
    return 0;
}

static void expect_at(uint64_t gpa, uint64_t size, const void *hva, const char *lesson)
{
    expect_number((uintptr_t)guest_ptr(vm, gpa, size), (uintptr_t)hva, lesson);
}

static void expect_refused(uint64_t gpa, uint64_t size, const char *lesson)
{
    expect_number((uintptr_t)guest_ptr(vm, gpa, size), 0, lesson);
}

static void ram_is_found_below_and_above_the_hole(void **state)
{
    (void)state;
    expect_at(0, 1, low, "guest-physical 0 is the first byte of the first piece of RAM, vm->ram[0].hva");
    expect_at(4095, 1, low + 4095, "the last byte of a piece belongs to it");
    expect_at(0, 4096, low, "a range may be the whole piece");
    expect_at(RAM_HIGH_BASE + 5, 10, high + 5, "the second piece: hva + (gpa - ram->gpa), not hva + gpa");
}

static void the_hole_is_not_ram(void **state)
{
    (void)state;
    expect_at(4095, 1, low + 4095, "the last byte below the hole is RAM");
    expect_refused(4096, 1, "the first byte behind the piece is not RAM");
    expect_refused(RAM_LOW_END, 1, "the hole for devices is not RAM");
    expect_refused(RAM_HIGH_BASE - 1, 1, "the byte before the second piece is not RAM");
    expect_refused(4095, 2,
                   "a range that begins in RAM and ends outside must be refused: look at its end, too");
    expect_refused(0, RAM_HIGH_BASE + 1, "from one piece to the other there is the hole in between");
    expect_refused(RAM_HIGH_BASE + 4095, 2, "the second piece has an end as well");
}

static void sums_that_wrap_are_turned_down(void **state)
{
    static const char lesson[] =
        "gpa + size is more than 64 bits can hold and comes out small: compare without adding, as in "
        "`offset < ram->size && size <= ram->size - offset`";

    (void)state;
    expect_at(RAM_HIGH_BASE + 4095, 1, high + 4095, "the last byte of RAM is RAM");
    expect_refused(~0ull, 1, "the last address there is; no RAM is there");
    expect_refused(~0ull, 2, lesson);
    expect_refused(1, ~0ull, lesson);
    expect_refused(4095, ~0ull - 4094, lesson);
    expect_refused(RAM_HIGH_BASE + 1, 0ull - RAM_HIGH_BASE, lesson);
}

static void reserved_ranges_must_not_overlap(void **state)
{
    (void)state;
    assert_int_equal(memory_reserve(vm, 100, 100, "a"), 0);
    assert_int_equal(memory_reserve(vm, 199, 1, "b"), -EEXIST);
    assert_int_equal(memory_reserve(vm, 0, 101, "b"), -EEXIST);
    assert_int_equal(memory_reserve(vm, 0, 4096, "b"), -EEXIST);
    assert_int_equal(memory_reserve(vm, 200, 100, "b"), 0);
    assert_int_equal(memory_reserve(vm, 4000, 97, "c"), -EFAULT);
    assert_int_equal(memory_reserve(vm, 4000, ~0ull, "c"), -EFAULT);
}

static void the_map_tells_ram_from_holes(void **state)
{
    (void)state;
    struct map_entry map[MAP_ENTRIES_MAX];

    vm->ram[0].size = RAM_LOW_END;
    vm->ram[1].size = GiB;
    assert_int_equal(memory_map(vm, map), 4);
    assert_int_equal(map[1].type, MAP_RESERVED);
    assert_int_equal(map[2].gpa + map[2].size, RAM_LOW_END);
    assert_int_equal(map[3].gpa, RAM_HIGH_BASE);
    assert_int_equal(map[3].size, GiB);
    vm->ram_count = 1;
    vm->ram[0].size = MiB;
    assert_int_equal(memory_map(vm, map), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(ram_is_found_below_and_above_the_hole, setup, teardown),
        cmocka_unit_test_setup_teardown(the_hole_is_not_ram, setup, teardown),
        cmocka_unit_test_setup_teardown(sums_that_wrap_are_turned_down, setup, teardown),
        cmocka_unit_test_setup_teardown(reserved_ranges_must_not_overlap, setup, teardown),
        cmocka_unit_test_setup_teardown(the_map_tells_ram_from_holes, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
