/* Lab 1: the bus routes by address and size, refuses overlaps, and keeps to the port in string I/O. */
/* sources: hypervisor/bus.c hypervisor/host.c */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "expect.h"
#include "vm.h"

static struct vm *vm;
static uint64_t last_offset, last_value;
static unsigned last_size, calls, string_count;

static uint64_t dev_read(const struct access *a)
{
    last_offset = a->offset;
    last_size = a->size;
    calls++;
    return *(uint64_t *)a->dev + calls;
}

static void dev_write(const struct access *a, uint64_t value)
{
    last_offset = a->offset;
    last_size = a->size;
    last_value = value;
    calls++;
}

static void dev_write_string(const struct access *a)
{
    string_count += a->count;
}

static uint64_t base_value = 0x1000;
static const struct bus_ops all_sizes = {15, dev_read, dev_write, NULL};
static const struct bus_ops words_only = {2, dev_read, dev_write, NULL};
static const struct bus_ops deaf = {15, NULL, NULL, NULL};
static const struct bus_ops strings = {1, dev_read, dev_write, dev_write_string};

static int setup(void **state)
{
    (void)state;
    vm = calloc(1, sizeof *vm);
    pthread_mutex_init(&vm->lock, NULL);
    vm->ports.kind = "port";
    last_offset = last_value = last_size = calls = string_count = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(vm);
    return 0;
}

static int claim(uint64_t base, uint64_t size, const struct bus_ops *ops)
{
    return bus_claim(&vm->ports, base, size, "device", ops, &base_value);
}

static void access_port(uint64_t addr, void *data, unsigned size, unsigned count, bool is_write)
{
    bus_access(
        &vm->ports,
        (struct access){
            .vm = vm, .offset = addr, .data = data, .size = size, .count = count, .is_write = is_write});
}

static void overlapping_claims_are_refused(void **state)
{
    (void)state;
    assert_int_equal(claim(0x100, 8, &all_sizes), 0);
    assert_int_equal(claim(0x100, 8, &all_sizes), -EEXIST);
    assert_int_equal(claim(0x107, 1, &all_sizes), -EEXIST);
    assert_int_equal(claim(0xf9, 8, &all_sizes), -EEXIST);
    assert_int_equal(claim(0, 0x1000, &all_sizes), -EEXIST);
    assert_int_equal(claim(0xf8, 8, &all_sizes), 0);
    assert_int_equal(claim(0x108, 1, &all_sizes), 0);
}

static void empty_and_wrapping_claims_are_refused(void **state)
{
    (void)state;
    assert_int_equal(claim(0x100, 0, &all_sizes), -EINVAL);
    assert_int_equal(claim(~0ull, 2, &all_sizes), -EINVAL);
    assert_int_equal(claim(2, ~0ull, &all_sizes), -EINVAL);
    assert_int_equal(claim(~0ull, 1, &all_sizes), 0);
}

static void a_full_bus_says_so(void **state)
{
    (void)state;
    unsigned max = sizeof vm->ports.claims / sizeof vm->ports.claims[0];

    for (unsigned i = 0; i < max; i++)
        assert_int_equal(claim(i * 16, 16, &all_sizes), 0);
    assert_int_equal(claim(max * 16, 16, &all_sizes), -ENOSPC);
}

static void offsets_are_relative_to_the_claim(void **state)
{
    (void)state;
    uint32_t value = 0x12345678;

    assert_int_equal(claim(0x100, 8, &all_sizes), 0);
    access_port(0x104, &value, 4, 1, true);
    expect_number(calls, 1, "the device that claimed 0x100..0x107 must be asked for a write to 0x104");
    expect_number(last_offset, 4, "a device sees offsets into its own range, wherever it is on the bus");
    expect_number(last_size, 4, "the size of the access goes to the device");
    expect_number(last_value, 0x12345678, "the bytes at a->data are the value, little-endian");
}

static void unclaimed_reads_give_all_ones(void **state)
{
    (void)state;
    uint8_t data[8] = {0};
    static const uint8_t ones[8] = {255, 255, 255, 255, 255, 255, 255, 255};

    access_port(0x500, data, 8, 1, false);
    expect_bytes(
        data, ones, 8,
        "nobody answers at 0x500: fill the buffer with ones; what was in it before is not an answer");
    access_port(0x500, data, 4, 1, true); /* and writes are ignored */
    assert_int_equal(claim(0x600, 8, &deaf), 0);
    memset(data, 0, 8);
    access_port(0x600, data, 2, 2, false);
    expect_bytes(data, ones, 4, "this device has no read function: it reads as all ones, too");
    access_port(0x600, data, 2, 2, true);
}

static void an_access_must_lie_wholly_in_the_claim(void **state)
{
    (void)state;
    uint32_t data = 0;

    assert_int_equal(claim(0x100, 8, &all_sizes), 0);
    access_port(0x106, &data, 4, 1, false);
    expect_number(calls, 0,
                  "the last two bytes of 0x106..0x109 are not the device's: the access is nobody's");
    expect_number(data, ~0u, "so it reads as all ones");
    data = 0;
    access_port(0xfe, &data, 4, 1, false);
    expect_number(calls, 0, "0xfe..0x101 begins before the device");
    expect_number(data, ~0u, "so it reads as all ones");
}

static void sizes_that_the_device_does_not_take_are_unclaimed(void **state)
{
    (void)state;
    uint32_t data = 0;

    assert_int_equal(claim(0x100, 8, &words_only), 0);
    access_port(0x100, &data, 4, 1, false);
    access_port(0x100, &data, 1, 1, false);
    access_port(0x100, &data, 3, 1, false);
    expect_number(calls, 0, "ops->sizes of this device is 2: accesses of 1, 3 and 4 bytes are not for it");
    access_port(0x100, &data, 2, 1, false);
    expect_number(calls, 1, "an access of 2 bytes is");
    assert_int_equal(claim(0x200, 8, &all_sizes), 0);
    access_port(0x200, &data, 3, 1, false);
    expect_number(calls, 1,
                  "an access across two pages comes as pieces, of 3 bytes perhaps; a device of sizes 1, 2, 4 "
                  "and 8 does not take 3, though 3 is 1 | 2");
}

static void string_input_fills_successive_items_from_one_port(void **state)
{
    (void)state;
    uint16_t data[3] = {0};
    static const uint16_t expected[] = {0x1001, 0x1002, 0x1003};

    assert_int_equal(claim(0x100, 8, &all_sizes), 0);
    access_port(0x102, data, 2, 3, false);
    expect_number(last_offset, 2, "all items of a string come from one port: it does not move");
    expect_number(calls, 3, "the device is asked once for each item");
    expect_bytes(data, expected, 6, "item i goes to a->data + i * a->size");
}

static void string_output_takes_successive_items_to_one_port(void **state)
{
    (void)state;
    uint8_t data[] = "abc";

    assert_int_equal(claim(0x100, 8, &all_sizes), 0);
    access_port(0x101, data, 1, 3, true);
    expect_number(calls, 3, "the device gets each item of the string");
    expect_number(last_offset, 1, "all at one port: it does not move");
    expect_number(last_value, 'c', "item i lies at a->data + i * a->size");
}

static void a_device_may_take_a_string_at_once(void **state)
{
    (void)state;
    uint8_t data[16] = {0};

    assert_int_equal(claim(0x100, 1, &strings), 0);
    access_port(0x100, data, 1, 16, true);
    assert_int_equal(string_count, 16);
    assert_int_equal(calls, 0);
    assert_int_equal(vm->ports.claims[0].accesses, 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(overlapping_claims_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(empty_and_wrapping_claims_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_bus_says_so, setup, teardown),
        cmocka_unit_test_setup_teardown(offsets_are_relative_to_the_claim, setup, teardown),
        cmocka_unit_test_setup_teardown(unclaimed_reads_give_all_ones, setup, teardown),
        cmocka_unit_test_setup_teardown(an_access_must_lie_wholly_in_the_claim, setup, teardown),
        cmocka_unit_test_setup_teardown(sizes_that_the_device_does_not_take_are_unclaimed, setup, teardown),
        cmocka_unit_test_setup_teardown(string_input_fills_successive_items_from_one_port, setup, teardown),
        cmocka_unit_test_setup_teardown(string_output_takes_successive_items_to_one_port, setup, teardown),
        cmocka_unit_test_setup_teardown(a_device_may_take_a_string_at_once, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
