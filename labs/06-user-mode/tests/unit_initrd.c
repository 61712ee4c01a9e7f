/* Lab 6: the initrd goes high into low RAM, at a page, or is refused. */
/* sources: hypervisor/boot/initrd.c hypervisor/memory.c hypervisor/host.c */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>
#include "expect.h"
#include "feature.h"

static uint8_t ram[4 * MiB];
static struct vm *vm;
static char path[64];
static int fd;

static int setup(void **state)
{
    (void)state;
    vm = calloc(1, sizeof *vm);
    vm->memory = sizeof ram;
    vm->ram[0] = (struct ram){.gpa = 0, .size = sizeof ram, .hva = ram};
    vm->ram_count = 1;
    vm->boot_source = "--kernel";
    fd = memfd_create("initrd", 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    __start_features[0]->options[0].value = path;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(vm);
    close(fd);
    return 0;
}

static int attach_with_size(off_t size)
{
    assert_int_equal(ftruncate(fd, size), 0);
    return __start_features[0]->attach(vm);
}

static void it_lies_at_the_top_at_a_page(void **state)
{
    (void)state;
    assert_int_equal(pwrite(fd, "cpio", 4, 0), 4);
    expect_number((uint64_t)attach_with_size(5000), 0, "5,000 bytes fit into 4 MiB of RAM");
    expect_number(vm->initrd.gpa, sizeof ram - 8192,
                  "as high as it goes, at the beginning of a page: two pages below the end of RAM");
    expect_number(vm->initrd.size, 5000,
                  "vm->initrd.size is the file's size in bytes, not in pages: the kernel is told of it");
    expect_bytes(ram + vm->initrd.gpa, "cpio", 4, "the file's bytes are in the guest's RAM");
}

static void every_size_ends_inside_ram(void **state)
{
    static const off_t sizes[] = {1, 4095, 4096, 4097, 8192, MiB};

    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        teardown(state);
        setup(state);
        expect_number((uint64_t)attach_with_size(sizes[i]), 0, "it fits");
        expect_number(vm->initrd.gpa % PAGE_SIZE, 0, "it begins at a page");
        expect_true(vm->initrd.gpa + (uint64_t)sizes[i] <= sizeof ram,
                    "it ends inside RAM: round the address down, not up");
        expect_true(vm->initrd.gpa + (uint64_t)sizes[i] > sizeof ram - PAGE_SIZE,
                    "and no page higher is possible");
    }
}

static void it_is_reserved_against_the_kernel(void **state)
{
    (void)state;
    expect_number((uint64_t)attach_with_size(5000), 0, "it fits");
    expect_number((uint64_t)memory_reserve(vm, sizeof ram - 4096, 1, "a segment of the kernel"),
                  (uint64_t)-EEXIST,
                  "memory_reserve(): whoever loads the kernel must find out that this place is taken");
}

static void a_kernel_in_the_way_is_not_overwritten(void **state)
{
    (void)state;
    memset(ram, 0x55, sizeof ram);
    assert_int_equal(memory_reserve(vm, sizeof ram - 4096, 4096, "the kernel"), 0);
    expect_number((uint64_t)attach_with_size(5000), (uint64_t)-EEXIST,
                  "a large kernel reaches up to where the initrd would be: memory_reserve() complains, and "
                  "its error is passed on");
    expect_number(ram[sizeof ram - 1], 0x55, "nothing may be read over the kernel: first reserve, then read");
    expect_number(ram[sizeof ram - 5000], 0x55, "nothing is read at all");
    memset(ram, 0, sizeof ram);
}

static void it_stays_below_4_gib(void **state)
{
    static uint8_t high[MiB];

    (void)state;
    vm->memory = sizeof ram + sizeof high; /* as with --memory 4G: a part of RAM lies above the devices */
    vm->ram[1] = (struct ram){.gpa = 4096ul * MiB, .size = sizeof high, .hva = high};
    vm->ram_count = 2;
    expect_number((uint64_t)attach_with_size(5000), 0, "it fits into low RAM, vm->ram[0]");
    expect_number(vm->initrd.gpa, sizeof ram - 8192,
                  "the end of low RAM counts, not the sum of all RAM: a kernel in 32-bit mode must reach it, "
                  "and at vm->memory "
                  "there is no RAM, but devices");
}

static void an_empty_file_is_refused(void **state)
{
    (void)state;
    expect_number((uint64_t)attach_with_size(0), (uint64_t)-EFBIG,
                  "an empty initrd is most likely a mistake: -EFBIG");
}

static void a_file_larger_than_the_room_is_refused(void **state)
{
    static const char lesson[] =
        "the first MiB is not for it, so that room is what RAM has beyond 1 MiB: -EFBIG";

    (void)state;
    expect_number((uint64_t)attach_with_size((off_t)sizeof ram), (uint64_t)-EFBIG, lesson);
    expect_number((uint64_t)attach_with_size((off_t)(sizeof ram - MiB + 1)), (uint64_t)-EFBIG, lesson);
    expect_number(
        (uint64_t)attach_with_size(1ll << 40), (uint64_t)-EFBIG,
        "larger than all RAM: a difference of unsigned numbers would wrap, so look before you subtract");
    expect_number((uint64_t)attach_with_size((off_t)(sizeof ram - MiB)), 0, "what just fits is taken");
}

static void a_missing_file_is_refused(void **state)
{
    (void)state;
    __start_features[0]->options[0].value = "/nonexistent/initrd";
    assert_int_equal(__start_features[0]->attach(vm), -ENOENT);
}

static void without_a_kernel_it_is_refused(void **state)
{
    (void)state;
    vm->boot_source = NULL;
    assert_int_equal(attach_with_size(5000), -EINVAL);
    vm->boot_source = "--flat";
    vm->bare = true;
    assert_int_equal(attach_with_size(5000), -EINVAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_lies_at_the_top_at_a_page),
        TEST(every_size_ends_inside_ram),
        TEST(it_is_reserved_against_the_kernel),
        TEST(a_kernel_in_the_way_is_not_overwritten),
        TEST(it_stays_below_4_gib),
        TEST(an_empty_file_is_refused),
        TEST(a_file_larger_than_the_room_is_refused),
        TEST(a_missing_file_is_refused),
        TEST(without_a_kernel_it_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
