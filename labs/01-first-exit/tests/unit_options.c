/* Lab 1: options are parsed from the feature table; mistakes are refused with the way out. */
/* sources: hypervisor/feature.c hypervisor/host.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>
#include <stdio.h>
#include "feature.h"

static uint64_t memory, cpus;

static int memory_set(const char *value)
{
    return parse_size("--memory", value, MiB, 512 * GiB, &memory);
}

static int cpus_set(const char *value)
{
    return parse_number("--cpus", value, 1, 64, &cpus);
}

static struct option options[] = {
    {.name = "memory", .arg = "SIZE", .help = "RAM", .set = memory_set},
    {.name = "cpus", .arg = "N", .help = "vCPUs", .set = cpus_set},
    {.name = "kernel", .arg = "FILE", .help = "kernel"},
    {.name = "stats", .help = "statistics"},
    {0},
};

FEATURE(late) = {.name = "late", .lab = 3};
FEATURE(first) = {.name = "first", .lab = 1, .options = options};
FEATURE(second) = {.name = "second", .lab = 1};
COMMAND(none) = {.name = "none"};

static int stderr_copy, stderr_file;

static int setup(void **state)
{
    (void)state;
    features_collect();
    options_clear();
    stderr_copy = dup(2);
    stderr_file = memfd_create("stderr", 0);
    dup2(stderr_file, 2);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    dup2(stderr_copy, 2);
    close(stderr_copy);
    close(stderr_file);
    return 0;
}

static const char *message(void)
{
    static char text[1024];
    ssize_t n = pread(stderr_file, text, sizeof text - 1, 0);

    text[n > 0 ? n : 0] = '\0';
    return text;
}

static int parse(const char *a, const char *b)
{
    const char *argv[] = {"run", a, b};

    options_clear();
    return options_parse(a ? b ? 3 : 2 : 1, (char **)argv);
}

static void features_start_in_the_order_of_their_labs(void **state)
{
    (void)state;
    features_collect();
    assert_int_equal(features->lab, 1); /* the order within one file is the compiler's */
    assert_int_equal(features->next->lab, 1);
    assert_string_equal(features->next->next->name, "late");
    assert_null(features->next->next->next);
}

static void good_options_are_taken(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t bytes;
    } sizes[] = {{"1M", MiB}, {"2048K", 2 * MiB}, {"128m", 128 * MiB}, {"16G", 16 * GiB}, {"1048576", MiB}};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        assert_int_equal(parse("--memory", sizes[i].text), 0);
        assert_int_equal(memory, sizes[i].bytes);
    }
    assert_int_equal(parse("--cpus", "4"), 0);
    assert_int_equal(cpus, 4);
    assert_int_equal(parse("--stats", NULL), 0);
    assert_string_equal(options[3].value, "");
    assert_int_equal(parse("--kernel", "x y"), 0);
    assert_string_equal(options[2].value, "x y");
}

static void bad_sizes_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"0",
                                      "1K",
                                      "128X",
                                      "99999T",
                                      "-1",
                                      "-128M",
                                      "",
                                      "M",
                                      "12MM",
                                      "1.5G",
                                      "0x10M",
                                      " 64M",
                                      "64M ",
                                      "64 M",
                                      "+64M",
                                      "513G",
                                      "1023K",
                                      "99999999999999999999",
                                      "18446744073709551615",
                                      "18014398509481985K"};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (parse("--memory", bad[i]) == 0)
            fail_msg("--memory '%s' was taken as %llu bytes", bad[i], (unsigned long long)memory);
    assert_non_null(strstr(message(), "--memory 128X: not a size; write it like"));
}

static void bad_numbers_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"0", "65", "-1", "two", "", "1x", "99999999999999999999999"};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_not_equal(parse("--cpus", bad[i]), 0);
}

static void an_unknown_option_suggests_the_nearest(void **state)
{
    (void)state;
    assert_int_not_equal(parse("--kernal", "x"), 0);
    assert_non_null(strstr(message(), "unknown option --kernal; did you mean --kernel?"));
}

static void most_of_a_word_must_be_right(void **state)
{
    (void)state;
    assert_true(is_near("rum", "run", 1));
    assert_false(is_near("foo", "run", 3));
    assert_false(is_near("-x", "run", 3));
    assert_false(is_near("an", "run", 2));
}

static void a_value_behind_an_equals_sign_is_explained(void **state)
{
    (void)state;
    assert_int_not_equal(parse("--memory=128M", NULL), 0);
    assert_non_null(strstr(message(), "an option's value is a word of its own: --memory 128M"));
}

static void a_hopeless_option_points_to_the_help(void **state)
{
    (void)state;
    assert_int_not_equal(parse("--frobnicate-everything-at-once-and-forever", NULL), 0);
    assert_non_null(strstr(message(), "terrarium help run"));
}

static void missing_doubled_and_stray_arguments_are_refused(void **state)
{
    (void)state;
    const char *twice[] = {"run", "--cpus", "1", "--cpus", "2"};

    assert_int_not_equal(parse("--kernel", NULL), 0);
    assert_int_not_equal(parse("kernel", NULL), 0);
    options_clear();
    assert_int_not_equal(options_parse(5, (char **)twice), 0);
    assert_non_null(strstr(message(), "given twice"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(features_start_in_the_order_of_their_labs, setup, teardown),
        cmocka_unit_test_setup_teardown(good_options_are_taken, setup, teardown),
        cmocka_unit_test_setup_teardown(bad_sizes_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(bad_numbers_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(an_unknown_option_suggests_the_nearest, setup, teardown),
        cmocka_unit_test_setup_teardown(most_of_a_word_must_be_right, setup, teardown),
        cmocka_unit_test_setup_teardown(a_value_behind_an_equals_sign_is_explained, setup, teardown),
        cmocka_unit_test_setup_teardown(a_hopeless_option_points_to_the_help, setup, teardown),
        cmocka_unit_test_setup_teardown(missing_doubled_and_stray_arguments_are_refused, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
