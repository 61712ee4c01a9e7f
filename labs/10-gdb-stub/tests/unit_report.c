/* Lab 10: what `terrarium report` reads from a trace, and from files that are none. */
/* sources: hypervisor/inspect/report_read.c hypervisor/inspect/report_sum.c hypervisor/inspect/json.c */
#include <stdlib.h>
#include <string.h>
#include "expect.h"
#include "inspect/report.h"

#define EXIT(at, length, name, place)                                                                        \
    "{\"ph\":\"X\",\"pid\":1,\"tid\":0,\"cat\":\"exit\",\"ts\":" #at ",\"dur\":" #length ",\"name\":\"" name \
    "\",\"args\":{\"reason\":\"io\",\"device\":\"uart\",\"guest_us\":2.5,\"at\":\"" place "\"}}"
#define PRINT(at, text)                                                                                      \
    "{\"ph\":\"i\",\"pid\":1,\"tid\":9,\"cat\":\"console\",\"ts\":" #at                                      \
    ",\"name\":\"console\",\"args\":{\"text\":\"" text "\"}}"

static const char sample[] =
    "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n"
    "{\"ph\":\"M\",\"pid\":1,\"tid\":0,\"cat\":\"__metadata\",\"name\":\"thread_name\",\"args\":{\"name\":"
    "\"vCPU 0\"}},\n" EXIT(10, 1, "out uart", "put+0x4") ",\n" PRINT(10, "h") ",\n" EXIT(
        20, 3, "out uart",
        "put+0x9") ",\n" PRINT(20,
                               "i\\u000a") ",\n" EXIT(30, 2, "in uart",
                                                      "get+0x1") ",\n" PRINT(31,
                                                                             "no end") "],\"otherData\":{"
                                                                                       "\"every\":2,"
                                                                                       "\"dropped\":3,\"over_"
                                                                                       "limit\":4,\"lost_by_"
                                                                                       "guest\":5,\"vcpus\":["
                                                                                       "{\"exits\":9}]}}\n";

static struct report r;

/* NULL, or what is wrong. The text is copied, so that the sanitizer sees a read behind its end. */
static const char *read_text(const char *text, size_t size)
{
    char *copy = malloc(size + 1);
    size_t at;

    memcpy(copy, text, size);
    assert_int_equal(report_init(&r), 0);
    const char *wrong = report_read(&r, copy, size, &at);
    assert_true(at <= size);
    report_sum(&r, 100);
    free(copy);
    return wrong;
}

static void expect_us(double got, double expected, const char *lesson)
{
    expect_true(got > expected - 1e-6 && got < expected + 1e-6, lesson);
}

static void events_are_summed_by_kind_and_by_function(void **state)
{
    (void)state;
    expect_true(!read_text(sample, sizeof sample - 1), "the sample is a good trace");
    const struct tally *out = tally_find(&r.kinds, "exit", "out uart"),
                       *put = tally_find(&r.places, "", "put");
    expect_number(out->count, 2, "two exits of one kind");
    expect_us(out->busy, 4, "the time in its handlers");
    expect_us(out->longest, 3, "the longest of them");
    expect_us(out->guest, 5, "and in the guest before them");
    expect_text(out->device, "uart", "the device");
    expect_number(put->count, 2, "put+0x4 and put+0x9 are one function");
    expect_us(r.begin, 10, "the first begins");
    expect_us(r.end, 32, "the last ends");
    expect_text(r.tracks[0].name, "vCPU 0", "the track's name comes from its metadata");
    expect_number(r.every * 1000 + r.dropped * 100 + r.over_limit * 10 + r.lost, 2345, "what is missing");
    report_free(&r);
}

static void a_line_has_the_exits_since_the_one_before(void **state)
{
    (void)state;
    read_text(sample, sizeof sample - 1);
    expect_number(r.line_count, 1, "one line has an end");
    expect_bytes(r.lines[0].text, "hi", 3, "its pieces are one text");
    expect_number(r.lines[0].exits, 2, "the exits up to its last byte");
    expect_us(r.lines[0].busy, 4, "and their time");
    expect_text(r.kinds.items[r.lines[0].most].name, "out uart", "most of them were of this kind");
    expect_number(r.lines[1].exits, 1, "a line without an end has the rest");
    report_free(&r);
}

static void a_trace_cut_short_is_an_error(void **state)
{
    (void)state;
    for (size_t size = 0; size < sizeof sample - 2; size++) {
        expect_true(read_text(sample, size), "something is wanted behind its end");
        report_free(&r);
    }
}

static void files_that_are_no_traces_are_errors(void **state)
{
    static const char *const wrong[] = {"{}", "[]", "{\"traceEvents\":5}", "{\"traceEvents\":[5]}",
                                        "\177ELF\2\1\1"};

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        expect_true(read_text(wrong[i], strlen(wrong[i])), wrong[i]);
        report_free(&r);
    }
}

static void damaged_traces_do_no_harm(void **state)
{
    char text[sizeof sample];

    (void)state;
    srand(1);
    for (int i = 0; i < 20000; i++) {
        memcpy(text, sample, sizeof sample);
        for (int n = rand() % 4; n >= 0; n--)
            text[(size_t)rand() % (sizeof sample - 1)] = (char)rand();
        read_text(text, sizeof sample - 1);
        report_free(&r);
    }
}

/* A trace of `count` exits, each described by `format` with its number three times. */
static void read_many(unsigned count, const char *format)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    fputs("{\"traceEvents\":[", out);
    for (unsigned i = 0; i < count; i++) {
        fputs(i ? "," : "", out);
        fprintf(out, format, i, i, i);
    }
    fputs("]}", out);
    fclose(out);
    expect_true(!read_text(text, size), "a good trace");
    free(text);
}

static void many_slices_are_put_together_and_none_is_lost(void **state)
{
    uint64_t count = 0;
    double busy = 0;

    (void)state;
    read_many(5000, "{\"ph\":\"X\",\"pid\":1,\"tid\":0,\"cat\":\"exit\",\"ts\":%u,\"dur\":0.5,\"name\":\"n\","
                    "\"x\":%u,\"y\":%u}");
    expect_true(r.slice_count <= 100 && r.slice_count > 5 && r.merged > 0,
                "at most as many as were asked for");
    for (size_t i = 0; i < r.slice_count; i++) {
        count += r.slices[i].count;
        busy += r.slices[i].length;
        expect_true(i == 0 || r.slices[i].at >= r.slices[i - 1].at, "in their order");
    }
    expect_number(count, 5000, "each stands for those that went into it");
    expect_us(busy, 2500, "and for their time");
    report_free(&r);
}

static void any_number_of_names_and_tracks_has_room(void **state)
{
    uint64_t count = 0;

    (void)state;
    read_many(9000, "{\"ph\":\"X\",\"pid\":1,\"tid\":%u,\"cat\":\"exit\",\"ts\":7,\"dur\":0,\"name\":\"n%u\","
                    "\"args\":{\"at\":\"f%u\"}}");
    expect_number(r.kinds.count, TALLIES_MAX, "the table is full");
    for (uint32_t i = 0; i < r.kinds.count; i++)
        count += r.kinds.items[i].count;
    expect_number(count, 9000, "and its last entry has all that did not fit");
    expect_text(r.kinds.items[TALLIES_MAX - 1].name, "all others", "which says so");
    expect_number(r.track_count, TRACKS_MAX, "tracks are limited, too");
    expect_true(r.slice_count <= 100, "all at the same time: they cannot be put together, and are cut");
    report_free(&r);
}

static void times_that_are_none_are_left_out(void **state)
{
    (void)state;
    static const char odd[] = "{\"traceEvents\":[" EXIT(-1, 1, "a", "f") "," EXIT(
        1, 1e300, "a", "f") "," EXIT(1e999, 1, "a", "f") "," EXIT(5, 1, "b", "f") "]}";
    expect_true(!read_text(odd, sizeof odd - 1), "it is JSON");
    expect_number(r.slice_count, 1, "one event has a time that can be");
    expect_us(r.end, 6, "and the trace ends with it");
    report_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_are_summed_by_kind_and_by_function),
        cmocka_unit_test(a_line_has_the_exits_since_the_one_before),
        cmocka_unit_test(a_trace_cut_short_is_an_error),
        cmocka_unit_test(files_that_are_no_traces_are_errors),
        cmocka_unit_test(damaged_traces_do_no_harm),
        cmocka_unit_test(many_slices_are_put_together_and_none_is_lost),
        cmocka_unit_test(any_number_of_names_and_tracks_has_room),
        cmocka_unit_test(times_that_are_none_are_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
