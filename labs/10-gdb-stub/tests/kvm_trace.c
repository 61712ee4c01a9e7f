/* Lab 10: the ring by which a guest tells its own events: what comes out, and what a guest cannot do with it.
 */
#include <unistd.h>
#include "guest.h"

#define EVENTS "\"cat\":\"syscall\""
#define SWITCH "\"cat\":\"switch\""

static char directory[] = "/tmp/trace-XXXXXX";
static char code_path[64], trace_path[5][64], trace[1 << 20];
static unsigned traces; /* each has a file: the same would be gone on with, as after a reset */

static unsigned count(const char *part)
{
    unsigned n = 0;

    for (const char *at = trace; (at = strstr(at, part)); at++)
        n++;
    return n;
}

static void save(const char *path, const void *data, size_t size)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    fclose(file);
}

/* Run the guest with a trace, and read it. */
static void trace_guest(const uint8_t *code, const uint8_t *end)
{
    save(code_path, code, (size_t)(end - code));
    const char *argv[] = {"run", "--flat", code_path, "--trace", trace_path[traces]};
    struct vm *vm = vm_from_options(COUNT(argv), argv);

    begin_stderr();
    run_until_halt(vm);
    free_vm(vm);
    end_stderr();
    FILE *file = fopen(trace_path[traces++], "r");
    assert_non_null(file);
    trace[fread(trace, 1, sizeof trace - 1, file)] = '\0';
    fclose(file);
}

/* The ring lies at 0x10000; its events begin at offset 64 and have 64 bytes each. */
#define RING "mov $0x1000, %ax; mov %ax, %ds\n"
#define SHOW "mov $0x10, %eax; mov $0xe4, %dx; out %eax, %dx\n"

GUEST(one_event, ".code16",
      RING "rdtsc; mov %eax, 64; mov %edx, 68; mov %eax, 72; mov %edx, 76\n"
           "movl $2, 80; movl $7, 84; movl $0x1234, 88; movl $-5, 96; movl $-1, 100; movl $0x6c6c6163, 104\n"
           "in $0xe4, %al; mov %al, 108; movl $1, 0\n" SHOW "mov 4, %ebx; hlt");

static void an_event_of_the_guest_is_in_the_trace(void **state)
{
    (void)state;
    trace_guest(one_event, one_event_end);
    expect_number(count(EVENTS), 1, "kind 2 is a system call");
    expect_contains(trace, "\"name\":\"callT\"",
                    "its name; reading the port gives 0x54, 'T', while a trace is made");
    expect_contains(trace, "\"task\":7,\"addr\":\"0x1234\",\"value\":-5", "its numbers");
    expect_contains(trace, "\"lost_by_guest\":0", "nothing was lost");
}

GUEST(two_switches, ".code16",
      RING "rdtsc; mov %eax, 72; mov %edx, 76; movl $3, 80\n"
           "rdtsc; mov %eax, 136; mov %edx, 140; movl $3, 144; movl $2, 0\n" SHOW "hlt");

/* When the switch that `at` points to began and ended, in ns. */
static void switch_times(const char *at, double *begin, double *end)
{
    double dur;

    assert_non_null(at);
    assert_non_null(at = strstr(at, "\"ts\":"));
    assert_int_equal(sscanf(at, "\"ts\":%lf,\"dur\":%lf", begin, &dur), 2);
    *end = *begin + dur;
}

static void one_thread_at_a_time_has_the_cpu(void **state)
{
    double begin, end, next_begin, next_end;

    (void)state;
    trace_guest(two_switches, two_switches_end);
    const char *first = strstr(trace, SWITCH), *second = first ? strstr(first + 1, SWITCH) : NULL;
    switch_times(first, &begin, &end);
    switch_times(second, &next_begin, &next_end);
    expect_true(next_begin > end - 0.0005,
                "both say that they began at 0; the second begins where the first ends");
    expect_true(next_end >= next_begin && end > begin, "they last as long as is left");
}

GUEST(jump, ".code16",
      RING "movl $2, 80\n" SHOW "movl $1000, 0; out %al, $0x80; movl $0xfffffff0, 0; out %al, $0x80; hlt");

static void a_head_that_jumps_costs_the_guest_its_events(void **state)
{
    (void)state;
    trace_guest(jump, jump_end);
    /* 1000, then 0xfffffff0 - 1000 new ones, of which the ring has room for 256 each time */
    expect_contains(trace, "\"lost_by_guest\":4294967278",
                    "what was overwritten is lost; events of kind 0 are none");
    expect_number(count(EVENTS), 2, "the one event that has a kind is among the last 256 each time");
}

GUEST(outside, ".code16",
      RING
      "movl $1, 0; mov $0xfffffff, %eax; mov $0xe4, %dx; out %eax, %dx; mov $0xfff, %eax; out %eax, %dx\n"
      "out %al, %dx; out %al, $0x80; hlt");

static void a_ring_outside_ram_is_no_ring(void **state)
{
    (void)state;
    trace_guest(outside, outside_end);
    expect_number(count("\"pid\":2,\"tid\":1000000,\"cat\":\"exit\""), 0, "no events");
    expect_contains(trace, "\"lost_by_guest\":0",
                    "16 MiB of RAM: page 0xfff has room for a part of the ring only");
    expect_contains(trace, "\"exits\":5", "the guest runs on");
}

GUEST(liar, ".code16",
      RING "movl $-1, 64; movl $0x7fffffff, 68; movl $-1, 72; movl $0x7fffffff, 76; movl $2, 80\n"
           "movl $0x22220a3c, 104; movl $0x80ff1b5c, 108; movl $99, 144; movl $2, 0\n" SHOW "hlt");

static void what_a_guest_says_is_made_harmless(void **state)
{
    (void)state;
    trace_guest(liar, liar_end);
    expect_contains(trace, "\"name\":\"\\u003c?\\u0022\\u0022\\u005c???\"",
                    "characters that do not print, and quoted ones");
    expect_contains(trace, "\"dur\":0.000", "a time in the future is cut to now");
    expect_contains(trace, "\"lost_by_guest\":1", "99 is no kind of event");
}

static int make_directory(void **state)
{
    (void)state;
    if (!mkdtemp(directory))
        return -1;
    sprintf(code_path, "%s/code", directory);
    for (unsigned i = 0; i < COUNT(trace_path); i++)
        sprintf(trace_path[i], "%s/trace%u", directory, i);
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    unlink(code_path);
    for (unsigned i = 0; i < traces; i++)
        unlink(trace_path[i]);
    return rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_of_the_guest_is_in_the_trace),
        cmocka_unit_test(one_thread_at_a_time_has_the_cpu),
        cmocka_unit_test(a_head_that_jumps_costs_the_guest_its_events),
        cmocka_unit_test(a_ring_outside_ram_is_no_ring),
        cmocka_unit_test(what_a_guest_says_is_made_harmless),
    };

    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
