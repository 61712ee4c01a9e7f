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
    assert_int_equal(attach_with_size(5000), 0);
    assert_int_equal(vm->initrd.gpa, sizeof ram - 8192);
    assert_int_equal(vm->initrd.size, 5000);
    assert_memory_equal(ram + vm->initrd.gpa, "cpio", 4);
}

static void it_is_reserved_against_the_kernel(void **state)
{
    (void)state;
    assert_int_equal(attach_with_size(5000), 0);
    assert_int_equal(memory_reserve(vm, sizeof ram - 4096, 1, "a segment of the kernel"), -EEXIST);
}

static void an_empty_file_is_refused(void **state)
{
    (void)state;
    assert_int_equal(attach_with_size(0), -EFBIG);
}

static void a_file_larger_than_the_room_is_refused(void **state)
{
    (void)state;
    assert_int_equal(attach_with_size((off_t)sizeof ram), -EFBIG);
    assert_int_equal(attach_with_size((off_t)(sizeof ram - MiB + 1)), -EFBIG);
    assert_int_equal(attach_with_size(1ll << 40), -EFBIG);
    assert_int_equal(attach_with_size((off_t)(sizeof ram - MiB)), 0);
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
        TEST(it_lies_at_the_top_at_a_page), TEST(it_is_reserved_against_the_kernel),
        TEST(an_empty_file_is_refused),     TEST(a_file_larger_than_the_room_is_refused),
        TEST(a_missing_file_is_refused),    TEST(without_a_kernel_it_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
