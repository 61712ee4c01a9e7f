/* What a parent is told of its children: ended, killed, stopped, going on, or nothing yet. */
/* sources: guestos/proc/wait_calls.c tests/unit/moss_host.c tests/unit/process_host.c */
#include "tests/unit/moss_host.h"
#include "tests/unit/process_host.h"
#include "expect.h"
#include "guestos/include/errno.h"

#define WAIT4  61
#define WAITID 247
#define STATUS (USER_END - 64) /* in the program's memory */
#define CHILD  8

struct spinlock process_lock;
static struct process child;
static unsigned freed, delisted;

void process_delist(struct process *process)
{
    assert_ptr_equal(process, &child);
    delisted++;
    list_del(&process->sibling);
}

void process_free(struct process *process)
{
    assert_ptr_equal(process, &child);
    freed++;
}

static int set_up(void **state)
{
    (void)state;
    process_host_begin();
    child = (struct process){.pid = CHILD, .pgid = CHILD, .parent = &host_process};
    list_add_before(&host_process.children, &child.sibling);
    freed = delisted = 0;
    memset(user_at(STATUS, 4), 0xee, 4);
    return 0;
}

static void dies(int wait_status)
{
    child.zombie = true;
    child.wait_status = wait_status;
}

static void stops(int signal)
{
    child.stopped = signal;
    child.stop_news = true;
}

static ssize_t wait_for_it(uint32_t options)
{
    ssize_t pid = host_call(WAIT4, (uint64_t)-1, STATUS, options, 0);

    expect_number(moss_locks_held(), 0, "no lock stays held");
    return pid;
}

static uint32_t status(void)
{
    return (uint32_t)user_word(STATUS);
}

static void the_dead_are_told_as_they_ended(void **state)
{
    (void)state;
    dies(3 << 8);
    expect_number((uint64_t)wait_for_it(0), CHILD, "a zombie is news: its parent gets its pid");
    expect_number(status(), 3 << 8,
                  "exit(3): wait_status as it is; the exit code is in bits 15..8 (WEXITSTATUS)");
    expect_number(freed, 1, "now that it was told, the zombie can go");
    expect_number((uint64_t)wait_for_it(0), (uint64_t)-ECHILD, "and is not told twice");
    set_up(state);
    dies(SIGSEGV);
    expect_number((uint64_t)wait_for_it(0), CHILD, "killed children are news as well");
    expect_number(status(), SIGSEGV, "killed by signal 11: the number in bits 6..0 (WTERMSIG)");
}

static void who_runs_is_no_news(void **state)
{
    (void)state;
    expect_number(
        (uint64_t)wait_for_it(WNOHANG | WUNTRACED | WCONTINUED), 0,
        "the child runs, and has never stopped: no news, whatever is asked for. With WNOHANG that is 0");
    expect_number(freed + delisted, 0, "nobody is freed who lives");
    expect_number(status(), 0xeeeeeeee, "no status is written");
}

static void dies_while_we_sleep(void)
{
    dies(1 << 8);
    wake_all(&host_process.child_changed);
}

static void a_parent_waits_for_news(void **state)
{
    (void)state;
    host_on_sleep = dies_while_we_sleep;
    expect_number((uint64_t)wait_for_it(0), CHILD,
                  "without WNOHANG the parent sleeps until a child has news");
    expect_number(host_sleeps, 1, "once");
    expect_number(status(), 1 << 8, "and then looks at it as it is now");
}

static void the_stopped_are_told_to_who_asks(void **state)
{
    (void)state;
    stops(SIGTSTP);
    expect_number((uint64_t)wait_for_it(WNOHANG), 0, "without WUNTRACED nobody asked for stopped children");
    expect_number((uint64_t)wait_for_it(WNOHANG | WCONTINUED), 0, "WCONTINUED asks for others");
    expect_number((uint64_t)wait_for_it(WNOHANG | WUNTRACED), CHILD, "WUNTRACED asks for it");
    expect_number(status(), SIGTSTP << 8 | 0x7f,
                  "0x7f in the low byte says \"stopped\", the signal is above it (WSTOPSIG)");
    expect_number((uint64_t)wait_for_it(WNOHANG | WUNTRACED), 0,
                  "it is still stopped, but that has been told: stop_news says whether there is news");
    expect_number(freed, 0, "a stopped process is alive");
}

static void those_that_go_on_are_told_to_who_asks(void **state)
{
    (void)state;
    child.stop_news = true; /* SIGCONT came: not stopped any more */
    expect_number((uint64_t)wait_for_it(WNOHANG | WUNTRACED), 0, "WUNTRACED asks for stopped children only");
    expect_number((uint64_t)wait_for_it(WNOHANG | WCONTINUED), CHILD, "WCONTINUED asks for it");
    expect_number(status(), 0xffff, "\"goes on\" is 0xffff, STATUS_CONTINUED (WIFCONTINUED)");
    expect_number((uint64_t)wait_for_it(WNOHANG | WCONTINUED), 0, "once");
}

static void who_asks_for_the_stopped_only_leaves_the_dead(void **state)
{
    uint64_t info = USER_END - 512;

    (void)state;
    dies(0);
    expect_number((uint64_t)host_call(WAITID, P_ALL, 0, info, WNOHANG | WUNTRACED), 0,
                  "waitid() of the stopped only: no news");
    expect_number(user_word(info), 0, "si_signo is 0 then");
    expect_number(freed + delisted, 0, "without WEXITED a zombie stays for a call that asks for it");
    expect_number((uint64_t)host_call(WAITID, P_ALL, 0, info, WNOHANG | WEXITED), 0, "waitid() gives 0");
    expect_number((uint32_t)user_word(info), SIGCHLD, "now it is told");
    expect_number(freed, 1, "and gone");
    set_up(state);
    dies(0);
    child.stop_news = true; /* it was stopped before somebody killed it */
    expect_number((uint64_t)host_call(WAITID, P_ALL, 0, info, WNOHANG | WCONTINUED | WUNTRACED), 0,
                  "it does not go on: it is dead");
    expect_number(user_word(info), 0, "a zombie has one news only: how it ended");
}

static void a_signal_ends_the_wait(void **state)
{
    (void)state;
    host_interrupted = true;
    expect_number((uint64_t)wait_for_it(0), (uint64_t)-ERESTARTSYS,
                  "the handler runs first, then the call starts again");
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_dead_are_told_as_they_ended),
        TEST(who_runs_is_no_news),
        TEST(a_parent_waits_for_news),
        TEST(the_stopped_are_told_to_who_asks),
        TEST(those_that_go_on_are_told_to_who_asks),
        TEST(who_asks_for_the_stopped_only_leaves_the_dead),
        TEST(a_signal_ends_the_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
