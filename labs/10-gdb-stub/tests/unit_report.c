/* Lab 10: what `terrarium report` reads from a trace, and from files that are none. */
/* sources: hypervisor/inspect/report_read.c */
#include <stdlib.h>
#include <string.h>
#include "expect.h"
#include "inspect/report.h"

#define HEAD "{\"displayTimeUnit\":\"ns\",\"traceEvents\":["
#define TAIL "],\"otherData\":{\"every\":2}}\n"
#define EXIT(at, length, name, place)                                                                        \
    "{\"ph\":\"X\",\"pid\":1,\"tid\":0,\"cat\":\"exit\",\"ts\":" #at ",\"dur\":" #length ",\"name\":\"" name \
    "\",\"args\":{\"reason\":\"io\",\"device\":\"uart\",\"at\":\"" place "\"}}"
#define TEXT(text)                                                                                           \
    "{\"ph\":\"i\",\"cat\":\"console\",\"name\":\"console\",\"ts\":20,\"args\":{\"text\":\"" text "\"}}"

static const char sample[] = HEAD
    "\n{\"ph\":\"M\",\"pid\":1,\"tid\":0,\"name\":\"thread_name\",\"args\":{\"name\":\"vCPU 0\"}},\n" /* */
    EXIT(10, 1, "out uart", "put+0x4") ",\n" EXIT(20.5, 3, "out uart",
                                                  "put+0x9") ",\n" /* the same function */
    TEXT("</script>\\u0000\\u00c3\\u000a") ",\n" EXIT(30, 2, "in uart", "get+0x1") TAIL;

static char *page;

/* What comes out for the page, or NULL with what is wrong in *wrong. */
static const char *read_text(const char *trace, size_t size, const char **wrong)
{
    FILE *in = fmemopen((void *)trace, size, "r");
    size_t length;

    free(page);
    FILE *out = open_memstream(&page, &length);
    *wrong = report_read(in, out);
    fclose(in);
    fclose(out);
    return *wrong ? NULL : page;
}

static void expect_wrong(const char *trace, size_t size, const char *words)
{
    const char *wrong;

    read_text(trace, size, &wrong);
    expect_contains(wrong ?: "(nothing is wrong)", words, trace);
}

static void an_event_is_four_numbers(void **state)
{
    const char *wrong;

    (void)state;
    assert_non_null(read_text(sample, sizeof sample - 1, &wrong));
    expect_contains(page, "{\"events\":[1,2,1000,100,1,2,1050,300,3,2,950,200]",
                    "kind, track, begin since the one before, length, in 10 ns");
    expect_contains(
        page, "\"texts\":[\"\\tall others\",\"exit\\tout uart\\tio\\tuart\\tput\",\"1\\t0\",\"exit\\tin",
        "put+0x4 and put+0x9 are one function, so these are one kind");
    expect_contains(page, "\"name\":\"thread_name\",\"args\":{\"name\":\"vCPU 0\"}}", "its name, as it was");
    expect_contains(page, "[20.00,\"\\u003c/script>\\u0000\\u00C3\\n\"]]",
                    "bytes as they were printed; nothing of them ends the script element");
    expect_contains(page, "\"totals\":{\"every\":2}", "what is missing");
}

static void a_trace_that_was_written_anew_is_one(void **state)
{
    const char *wrong,
        odd[] = "\n{ \"displayTimeUnit\" : \"ns\",\t\"traceEvents\": [ {} ] , \"otherData\": {} } \n";

    (void)state;
    expect_true(read_text(odd, sizeof odd - 1, &wrong) && !wrong, "blanks mean nothing in JSON");
}

static void a_trace_cut_short_is_an_error(void **state)
{
    const char *wrong;

    (void)state;
    for (size_t size = 0; size < sizeof sample - 2; size++)
        expect_true(!read_text(sample, size, &wrong), "something is wanted behind its end");
}

static void what_is_wrong_is_said(void **state)
{
    static const char *const wrong[][2] = {
        {"{}", "this is no trace that terrarium"},
        {"\177ELF\2\1\1", "this is no trace that terrarium"},
        {HEAD "5" TAIL, "expected near '5'"},
        {HEAD "[]" TAIL, "an event is an object"},
        {HEAD "{\"ph\":\"X\",}" TAIL, "expected near '}'"},
        {HEAD EXIT(-1, 1, "a", "f") TAIL, "from 0 to 1e12"},
        {HEAD EXIT(1, 1e300, "a", "f") TAIL, "from 0 to 1e12"},
        {HEAD EXIT(1e999, 1, "a", "f") TAIL, "real number overflow"},
        {HEAD EXIT(1, 1, "a", "f") "{}" TAIL, "a comma or ] should come"},
        {HEAD "{}],\"otherData\":7}", "the totals should come"},
        {HEAD "{}" TAIL "more", "the totals should come"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        expect_wrong(wrong[i][0], strlen(wrong[i][0]), wrong[i][1]);
}

static void damaged_traces_do_no_harm(void **state)
{
    char text[sizeof sample];
    const char *wrong;

    (void)state;
    srand(1);
    for (int i = 0; i < 20000; i++) {
        memcpy(text, sample, sizeof sample);
        for (int n = rand() % 4; n >= 0; n--)
            text[(size_t)rand() % (sizeof sample - 1)] = (char)rand();
        read_text(text, sizeof sample - 1, &wrong);
    }
}

static void only_text_is_console_text(void **state)
{
    static const char odd[] = HEAD "{\"ph\":\"i\",\"args\":{\"text\":5}}" TAIL;
    const char *wrong;

    (void)state;
    assert_non_null(read_text(odd, sizeof odd - 1, &wrong));
    expect_contains(page, "\"others\":[{},\n{\"ph\":\"i\",\"args\":{\"text\":5}}]",
                    "a number is no text that the page's script could cut into lines");
}

static void any_number_of_names_has_room(void **state)
{
    enum { MANY = 70000 };
    const char *wrong;
    char *trace;
    size_t size;
    FILE *out = open_memstream(&trace, &size);

    (void)state;
    fputs(HEAD "{}", out);
    for (unsigned i = 0; i < MANY; i++)
        fprintf(out, ",{\"ph\":\"X\",\"name\":\"n%u\"}", i);
    fputs(TAIL, out);
    fclose(out);
    assert_non_null(read_text(trace, size, &wrong));
    expect_contains(page, ",65535,2,0,0,0,2,0,0,", "above 65536 they are of kind 0, \"all others\"");
    free(trace);
}

static int free_page(void **state)
{
    (void)state;
    free(page);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_is_four_numbers),
        cmocka_unit_test(a_trace_that_was_written_anew_is_one),
        cmocka_unit_test(a_trace_cut_short_is_an_error),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(damaged_traces_do_no_harm),
        cmocka_unit_test(only_text_is_console_text),
        cmocka_unit_test(any_number_of_names_has_room),
    };

    return cmocka_run_group_tests(tests, NULL, free_page);
}
