/* Lab 10: requests on the control socket: good ones, and all others. */
/* sources: hypervisor/inspect/control_answer.c hypervisor/inspect/json.c hypervisor/host.c */
#include <stdlib.h>
#include "expect.h"
#include "inspect/control.h"

static struct vcpu vcpu = {.started = true};
static struct vm vm = {
    .cpus = 1, .vcpus = {&vcpu}, .lock = PTHREAD_MUTEX_INITIALIZER, .run_lock = PTHREAD_MUTEX_INITIALIZER};
static int freezes, thaws;

void vm_freeze(struct vm *held)
{
    held->freezes++;
    freezes++;
}

void vm_thaw(struct vm *released)
{
    released->freezes--;
    thaws++;
}

static bool repeat(struct vm *its, const char *const *arguments, FILE *out)
{
    expect_number(its->freezes, 1, "a command looks at vCPUs that stand still");
    fprintf(out, "%s|%s<\"", arguments[0], arguments[1]);
    return arguments[0][0] != '!';
}

CONTROL(repeat_control) = {.name = "repeat", .synopsis = "", .help = "says it again", .run = repeat};

static char answer[512];

static const char *ask(const char *line)
{
    FILE *out = fmemopen(answer, sizeof answer, "w");

    control_answer(&vm, line, strlen(line), out);
    fclose(out);
    return answer;
}

static void a_command_gets_its_arguments(void **state)
{
    (void)state;
    expect_text(ask("{\"command\":\"repeat\",\"arguments\":[\"a\",\"b c\"]}\n"),
                "{\"ok\":true,\"text\":\"a|b c\\u003c\\u0022\"}\n", "one line, its text quoted");
    expect_text(ask("{\"arguments\":[],\"else\":{\"x\":[1]},\"command\":\"repeat\"}"),
                "{\"ok\":true,\"text\":\"|\\u003c\\u0022\"}\n",
                "members in any order; those that nobody knows are passed over");
}

static void a_refusal_is_an_answer(void **state)
{
    (void)state;
    expect_text(ask("{\"command\":\"repeat\",\"arguments\":[\"!\"]}"),
                "{\"ok\":false,\"error\":\"!|\\u003c\\u0022\"}\n",
                "what a command writes when it refuses is the error");
    expect_contains(ask("{\"command\":\"fly\"}"), "unknown command 'fly'; 'help' lists",
                    "it says how to go on");
}

static void every_other_line_is_answered_too(void **state)
{
    static const char *const lines[] = {
        "",
        "\n",
        "repeat",
        "[]",
        "{}",
        "{\"command\":1}",
        "{\"command\":\"repeat\",\"arguments\":1}",
        "{\"command\":\"repeat\",\"arguments\":[1]}",
        "{\"command\":\"repeat\",\"arguments\":[\"1\",\"2\",\"3\",\"4\",\"5\"]}",
        "{\"command\":\"repeat\"} more"};

    (void)state;
    freezes = 0;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        expect_contains(ask(lines[i]), "{\"ok\":false,\"error\":\"", lines[i]);
    expect_number((uint64_t)freezes, 0, "and disturbs no guest");
}

static void the_guest_is_held_and_released(void **state)
{
    (void)state;
    freezes = thaws = 0;
    ask("{\"command\":\"repeat\"}");
    ask("{\"command\":\"repeat\",\"arguments\":[\"!\"]}");
    expect_number((uint64_t)(freezes * 10 + thaws), 22, "a refusal thaws it, too");
    vcpu.started = false;
    expect_contains(ask("{\"command\":\"repeat\"}"), "not started", "there is nobody yet who could be held");
    vcpu.started = true;
}

static void numbers_and_vcpus_are_checked(void **state)
{
    uint64_t n;

    (void)state;
    expect_true(control_number("0x10", 0, &n) && n == 16, "hexadecimal");
    expect_true(control_number("", 7, &n) && n == 7, "what is not given has a default");
    for (const char *const *word =
             (const char *const[]){"12x", "-1", " -1", "x", "0x10000000000000000", NULL};
         *word; word++)
        expect_true(!control_number(*word, 0, &n), *word);
    FILE *out = fmemopen(answer, sizeof answer, "w");
    expect_true(control_vcpu(&vm, "", out) == &vcpu && control_vcpu(&vm, "0", out) == &vcpu, "the first");
    expect_true(!control_vcpu(&vm, "1", out) && !control_vcpu(&vm, "0xffffffffff", out), "there is only one");
    fclose(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_gets_its_arguments),     cmocka_unit_test(a_refusal_is_an_answer),
        cmocka_unit_test(every_other_line_is_answered_too), cmocka_unit_test(the_guest_is_held_and_released),
        cmocka_unit_test(numbers_and_vcpus_are_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
