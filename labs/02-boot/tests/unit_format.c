/* The kernel's own printf: every conversion as in C, and never a byte beyond the buffer. */
/* sources: guestos/kernel/format.c tests/unit/moss_host.c */
#include <limits.h>
#include "tests/unit/moss_host.h"
#include "guestos/include/printk.h"

/* Moss's format must give what C's snprintf gives, for a buffer of any size, and write nothing behind it. */
#define expect_as_in_c(...)                                                                                  \
    do {                                                                                                     \
        char whole[128], expected[128], got[128];                                                            \
        size_t length = (size_t)snprintf(whole, sizeof whole, __VA_ARGS__);                                  \
        for (size_t size = 0; size <= length + 1; size++) {                                                  \
            memset(expected, '#', sizeof expected);                                                          \
            memset(got, '#', sizeof got);                                                                    \
            if (size > 0)                                                                                    \
                *(char *)mempcpy(expected, whole, size - 1) = 0;                                             \
            assert_int_equal(format(got, size, __VA_ARGS__), length);                                        \
            assert_memory_equal(got, expected, sizeof got);                                                  \
        }                                                                                                    \
    } while (0)

static void text_passes(void **state)
{
    (void)state;
    expect_as_in_c("%s", "");
    expect_as_in_c("just text");
    expect_as_in_c("100%% of it");
    expect_as_in_c("%c%c", 'o', 'k');
}

static void numbers_at_their_ends(void **state)
{
    (void)state;
    expect_as_in_c("%d %i %u %x", 0, 0, 0u, 0u);
    expect_as_in_c("%d %d", INT_MAX, INT_MIN);
    expect_as_in_c("%u %x", UINT_MAX, UINT_MAX);
    expect_as_in_c("%ld %ld", LONG_MAX, LONG_MIN);
    expect_as_in_c("%lld %llu", LLONG_MIN, ULLONG_MAX);
    expect_as_in_c("%lu %lx", ULONG_MAX, ULONG_MAX);
    expect_as_in_c("%zu %zx", (size_t)SIZE_MAX, (size_t)1);
}

static void an_int_ignores_what_lies_above_it(void **state)
{
    (void)state;
    expect_as_in_c("%u %lu", -1, 1ul); /* a register's upper half is not part of an int */
    expect_as_in_c("%x %d", 0x80000000u, -5);
}

static void widths_pad_with_blanks_or_zeros(void **state)
{
    (void)state;
    expect_as_in_c("[%5d] [%-5d] [%05d]", 42, 42, 42);
    expect_as_in_c("[%5d] [%-5d] [%05d]", -42, -42, -42);
    expect_as_in_c("[%016lx] [%8x] [%-8x]", 0xabcul, 0xabcu, 0xabcu);
    expect_as_in_c("[%2d] [%02d]", 12345, 12345);
    expect_as_in_c("[%*d] [%-*d]", 7, 42, 7, 42);
    expect_as_in_c("[%3c] [%-3c]", 'x', 'y');
}

static void strings_may_be_cut_and_padded(void **state)
{
    static const char no_zero[3] = {'a', 'b', 'c'};

    (void)state;
    expect_as_in_c("[%8s] [%-8s]", "moss", "moss");
    expect_as_in_c("[%.2s] [%.0s] [%.9s]", "moss", "moss", "moss");
    expect_as_in_c("[%6.2s] [%-6.2s]", "moss", "moss");
    expect_as_in_c("[%.3s]", no_zero); /* reads no further than the precision */
}

static void a_null_string_is_shown(void **state)
{
    char text[32];
    const char *volatile none = NULL;

    (void)state;
    format(text, sizeof text, "[%s]", none);
    assert_string_equal(text, "[(null)]");
}

static void a_pointer_is_its_digits(void **state)
{
    char text[32];

    (void)state;
    format(text, sizeof text, "%p", (void *)0xffffffff80001234);
    assert_string_equal(text, "ffffffff80001234");
}

static void a_lone_percent_at_the_end_is_dropped(void **state)
{
    static const char *volatile broken[] = {"x%", "x%-", "x%08", "x%l", "x%.3"};
    char text[8];

    (void)state;
    for (unsigned i = 0; i < sizeof broken / sizeof *broken; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-security"
        assert_int_equal(format(text, sizeof text, broken[i]), 1);
#pragma GCC diagnostic pop
        assert_string_equal(text, "x");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_passes),
        cmocka_unit_test(numbers_at_their_ends),
        cmocka_unit_test(an_int_ignores_what_lies_above_it),
        cmocka_unit_test(widths_pad_with_blanks_or_zeros),
        cmocka_unit_test(strings_may_be_cut_and_padded),
        cmocka_unit_test(a_null_string_is_shown),
        cmocka_unit_test(a_pointer_is_its_digits),
        cmocka_unit_test(a_lone_percent_at_the_end_is_dropped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
