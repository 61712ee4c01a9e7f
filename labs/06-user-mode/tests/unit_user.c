/* The kernel's way into a program's memory: what is refused before it is touched, and what stops half-way. */
/* sources: guestos/proc/user.c tests/unit/moss_host.c */
#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>
#include "tests/unit/moss_host.h"
#include "expect.h"
#include "guestos/include/user.h"

#define PAGES ((uint8_t *)0x10000000) /* three of a program's pages; the middle one is not there */

/* From instructions that may fault to where they go on, as kernel/traps.c knows them. There are none before
 * user_range() lets anybody come so far. */
extern const struct fixup {
    uint64_t at, go_on;
} __start_extable[] __attribute__((weak)), __stop_extable[] __attribute__((weak));

bool cpu_has_smap;
static unsigned faults;

static void fault(int signal, siginfo_t *info, void *context)
{
    greg_t *rip = &((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];

    (void)info;
    for (const struct fixup *f = __start_extable; f < __stop_extable; f++) {
        if (f->at != (uint64_t)*rip)
            continue;
        *rip = (greg_t)f->go_on;
        faults++;
        return;
    }
    (void)!write(2, "a fault outside the copy\n", 25);
    _exit(signal);
}

static int set_up(void **state)
{
    (void)state;
    munmap(PAGES, 3 * PAGE_SIZE);
    assert_ptr_equal(
        mmap(PAGES, 3 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
        PAGES);
    munmap(PAGES + PAGE_SIZE, PAGE_SIZE);
    faults = 0;
    return 0;
}

static void begin(void)
{
    const struct sigaction action = {.sa_sigaction = fault, .sa_flags = SA_SIGINFO | SA_NODEFER};

    sigaction(SIGSEGV, &action, NULL);
}

static void check_range(uint64_t address, size_t n, bool expected, const char *lesson)
{
    if (user_range(address, n) != expected)
        fail_msg("user_range(0x%lx, 0x%lx) should be %s\n%s", address, n, expected ? "true" : "false",
                 lesson);
}

static void a_range_ends_where_programs_end(void **state)
{
    (void)state;
    check_range(0x10000, 100, true, "well inside");
    check_range(0, 1, true,
                "that nothing is mapped at 0 is the page tables' business: the copy will find out");
    check_range(0, USER_END, true, "all that programs have");
    check_range(USER_END - 1, 1, true, "the last byte is a program's");
    check_range(USER_END - 1, 2, false, "it begins in a program's addresses and ends outside");
    check_range(USER_END, 1, false, "USER_END is the first address that no program may use");
    check_range(0, USER_END + 1, false, "one more than there is");
    check_range(USER_END, 0, true, "nothing, at the very end, is inside: no byte of it is outside");
}

static void the_kernels_half_is_not_a_programs(void **state)
{
    static const char lesson[] = "a program that names an address of the kernel (read(fd, kernel, n)) must "
                                 "not have the kernel write there";

    (void)state;
    check_range(0xffff800000000000, 8, false, lesson);
    check_range(0xffffffff80100000, 1, false, lesson);
    check_range(0xffffffff80100000, 0, false, lesson);
    check_range(1ul << 47, 4096, false, "nor one of the hole between the halves");
}

static void a_sum_that_wraps_is_no_range(void **state)
{
    static const char lesson[] =
        "address + n is beyond 2^64 and small again: compare n with what is left behind "
        "address, USER_END - address. And that must not be below 0";

    (void)state;
    check_range(0x10000, UINT64_MAX, false, lesson);
    check_range(0x10000, UINT64_MAX - 0xffff, false, lesson);
    check_range(UINT64_MAX, 2, false, lesson);
    check_range(0xffff800000000000, 0x800000010000, false, lesson);
    check_range(USER_END + 1, UINT64_MAX, false, lesson);
}

static void bytes_are_copied_both_ways(void **state)
{
    char text[8] = "";

    (void)state;
    begin();
    expect_number((uint64_t)copy_to_user((uint64_t)PAGES + 5, "program", 8), 0,
                  "the page is there and writable");
    expect_text((char *)PAGES + 5, "program", "the bytes are in the program's memory");
    expect_number((uint64_t)copy_from_user(text, (uint64_t)PAGES + 5, 8), 0, "the page is there");
    expect_text(text, "program", "and come back from there");
    expect_number((uint64_t)copy_from_user(text, (uint64_t)PAGES + 3 * PAGE_SIZE, 0), 0, "no byte, no fault");
    expect_number(faults, 0, "no fault was needed");
}

static void a_copy_stops_where_nothing_is_mapped(void **state)
{
    uint8_t bytes[8] = {0};

    (void)state;
    begin();
    memcpy(PAGES + PAGE_SIZE - 4, "abcd", 4);
    expect_number((uint64_t)copy_from_user(bytes, (uint64_t)PAGES + PAGE_SIZE - 4, 8), (uint64_t)-EFAULT,
                  "the second half is not mapped: -EFAULT");
    expect_number(faults, 1, "the CPU said so, by a page fault, and the fix-up ended the copy");
    expect_number((uint64_t)copy_to_user((uint64_t)PAGES + PAGE_SIZE - 4, bytes, 8), (uint64_t)-EFAULT,
                  "and so it is in the other direction");
    mprotect(PAGES, PAGE_SIZE, PROT_READ);
    expect_number((uint64_t)copy_to_user((uint64_t)PAGES, bytes, 8), (uint64_t)-EFAULT,
                  "pages that a program may not write, the kernel does not write for it");
}

static void the_kernel_is_not_touched_for_a_program(void **state)
{
    uint64_t word = 0;

    (void)state;
    begin();
    expect_number((uint64_t)copy_from_user(&word, 0xffff800000000000, 8), (uint64_t)-EFAULT, "-EFAULT");
    expect_number((uint64_t)copy_to_user(0xffffffff80100000, &word, 8), (uint64_t)-EFAULT, "-EFAULT");
    expect_number((uint64_t)copy_to_user(USER_END - 4, &word, 8), (uint64_t)-EFAULT, "-EFAULT");
    expect_number(
        faults, 0,
        "the answer must come from user_range(), before any byte is touched: in ring 0 these addresses "
        "are mapped, and there would be no fault");
    expect_number((uint64_t)copy_to_user((uint64_t)PAGES, &word, 8), 0,
                  "a program's own memory is not refused");
}

static void a_string_ends_in_time(void **state)
{
    char text[16];

    (void)state;
    begin();
    strcpy((char *)PAGES, "twelve bytes");
    expect_number((uint64_t)string_from_user(text, (uint64_t)PAGES, sizeof text), 12,
                  "its length without the zero");
    expect_text(text, "twelve bytes", "with its zero");
    expect_number((uint64_t)string_from_user(text, (uint64_t)PAGES, 12), (uint64_t)-ENAMETOOLONG,
                  "no room for the zero");
    memset(PAGES + PAGE_SIZE - 4, 'x', 4);
    expect_number((uint64_t)string_from_user(text, (uint64_t)PAGES + PAGE_SIZE - 4, sizeof text),
                  (uint64_t)-EFAULT, "the string runs out of memory before its zero");
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_range_ends_where_programs_end),
        TEST(the_kernels_half_is_not_a_programs),
        TEST(a_sum_that_wraps_is_no_range),
        TEST(bytes_are_copied_both_ways),
        TEST(a_copy_stops_where_nothing_is_mapped),
        TEST(the_kernel_is_not_touched_for_a_program),
        TEST(a_string_ends_in_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
