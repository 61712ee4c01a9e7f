/* Lab 5: Moss's threads, on the host: how they are made, end, and become ready to run. */
/* sources: guestos/kernel/thread.c tests/unit/moss_host.c tests/unit/cpu_host.c tests/unit/thread_host.c */
#include "tests/unit/cpu_host.h"
#include "tests/unit/moss_host.h"
#include "tests/unit/thread_host.h"
#include "expect.h"

void wake_sleepers(void)
{
}

/* --- a new thread --- */

static void *argument, *where;

static void remember(void *arg)
{
    char here;

    argument = arg;
    where = &here;
    note_name();
}

static void a_new_thread_runs_its_function(void **state)
{
    (void)state;
    threads_begin();
    struct thread *thread = thread_create("a", remember, &argument);
    expect_true(thread, "there is memory");
    char *stack = thread->stack;
    thread_start(thread);
    schedule();
    expect_text(notes, "a",
                "the first switch to it must lead to fn: thread_begin() in kernel/switch.S says what it "
                "expects in r12 "
                "and r13. Put them on its stack as switch_stacks() pops them");
    expect_true(argument == &argument, "fn gets the argument that was given to thread_create(): r13");
    expect_true((char *)where >= stack - (1 << 20) && (char *)where < stack + STACK_PAGES * PAGE_SIZE,
                "it runs on the stack that was made for it");
}

static bool was_on;
static unsigned locks;

static void look_around(void *arg)
{
    (void)arg;
    was_on = cpu_host_irq_on;
    locks = moss_locks_held();
    note_name();
}

static void a_new_thread_can_be_interrupted(void **state)
{
    (void)state;
    threads_begin();
    thread_run("a", look_around);
    schedule();
    expect_text(notes, "a", "the thread runs");
    expect_true(was_on, "it begins at thread_begin, which switches interrupts on; not at fn");
    expect_number(locks, 0, "thread_begin calls finish_switch(), which releases the run queue's lock");
}

void probe(void *arg);
uint64_t probed_rsp, probed_rbp = 1;
__asm__(
    ".pushsection .text; probe: mov %rsp, probed_rsp(%rip); mov %rbp, probed_rbp(%rip); ret; .popsection");

static void its_stack_is_aligned_as_the_abi_wants(void **state)
{
    (void)state;
    threads_begin();
    thread_run("a", probe);
    schedule();
    expect_number(probed_rsp % 16, 8,
                  "where a function begins, RSP + 8 is a multiple of 16 (System V ABI §3.2.2); compilers "
                  "rely on it. So RSP is a "
                  "multiple of 16 when thread_begin calls fn");
    expect_number(probed_rbp, 0, "RBP is 0: there a backtrace ends");
}

static void a_thread_ends_with_its_function(void **state)
{
    (void)state;
    threads_begin();
    thread_run("a", remember);
    schedule();
    expect_text(notes, "a", "it runs");
    expect_number(stacks_in_use, 0, "its stack is freed by who runs next");
    expect_number(objects_in_use, 0, "and so is its struct thread");
    expect_true(current_thread() == cpus[0].idle, "we are the idle thread again");
}

static void a_thread_does_not_run_before_it_is_started(void **state)
{
    (void)state;
    threads_begin();
    struct thread *thread = thread_create("a", remember, NULL);
    expect_true(thread, "there is memory");
    thread_wake(thread);
    thread_interrupt(thread);
    expect_number(threads_ready(&cpus[0]), 0,
                  "a new thread is THREAD_NEW: nothing but thread_start() makes it ready, not even a signal");
    thread_start(thread);
    expect_number(threads_ready(&cpus[0]), 1, "now it is");
}

static void without_memory_there_is_no_thread(void **state)
{
    (void)state;
    threads_begin();
    memory_is_used_up = true;
    expect_true(!thread_create("a", remember, NULL), "no memory for struct thread: NULL");
    memory_is_used_up = false;
    addresses_are_used_up = true;
    expect_true(!thread_create("a", remember, NULL), "no memory for its stack: NULL");
    expect_number(objects_in_use, 0, "without a stack, the struct thread must be given back");
}

static void the_last_thread_ends_the_machine(void **state)
{
    (void)state;
    threads_begin();
    nobody_types = true;
    addresses_are_used_up = true;
    thread_create("x", remember, NULL);
    addresses_are_used_up = false;
    thread_run("a", remember);
    thread_run("b", remember);
    expect_panic("the power is off", schedule());
    expect_text(notes, "ab",
                "`alive` counts the threads that were made and are not gone: when the last one is, and "
                "nobody can type, Moss ends");
}

/* --- make_ready --- */

static void a_thread_is_queued_once(void **state)
{
    (void)state;
    threads_begin();
    struct thread *thread = thread_run("a", sleep_twice);
    schedule();
    thread_wake(thread);
    expect_number(threads_ready(&cpus[0]), 1, "a thread that waits and is woken is ready to run");
    thread_wake(thread);
    thread_wake(thread);
    expect_number(threads_ready(&cpus[0]), 1, "it stays in the run queue once, however often it is woken");
    schedule();
    expect_text(notes, "aa", "and runs once for that");
}

static void prepared_and_preempted(void *arg)
{
    (void)arg;
    prepare_to_wait();
    timer_interrupt(); /* in the run queue, and THREAD_WAITING */
    note_name();
    schedule();
    note_name();
}

static void wake_the_preempted(void *arg)
{
    struct thread *thread = list_entry(cpus[0].run_queue.next, struct thread, run_link);

    (void)arg;
    thread_wake(thread);
    expect_number(threads_ready(&cpus[0]), 1,
                  "a thread that was preempted on its way to sleep is in the run queue already: `queued`");
}

static void a_preempted_thread_is_not_queued_again(void **state)
{
    (void)state;
    threads_begin();
    thread_run("a", prepared_and_preempted);
    thread_run("b", wake_the_preempted);
    schedule();
    schedule();
    expect_text(notes, "aa", "it was woken before it slept: then schedule() comes back, now or later");
}

static void who_does_not_wait_is_not_woken(void **state)
{
    (void)state;
    threads_begin();
    struct thread *thread = thread_run("a", remember);
    expect_number(threads_ready(&cpus[0]), 1, "a thread that was started is in the run queue");
    thread_wake(thread);
    thread_start(thread);
    expect_number(threads_ready(&cpus[0]), 1, "only a thread in the state `from` is made ready");
    expect_number(thread->state, THREAD_READY, "its state stays");
}

static void wake_ourselves(void *arg)
{
    (void)arg;
    prepare_to_wait();
    thread_wake(current_thread()); /* as an interrupt would that comes now */
    expect_number(threads_ready(&cpus[0]), 0,
                  "it still has the CPU: in the run queue it would be run a second time");
    expect_number(current_thread()->state, THREAD_READY,
                  "a wake before the sleep counts: the thread is ready again");
    schedule();
    note_name();
}

static void a_wake_before_the_sleep_is_not_lost(void **state)
{
    (void)state;
    threads_begin();
    thread_run("a", wake_ourselves);
    schedule();
    expect_text(notes, "a", "schedule() comes back to a thread that is THREAD_READY");
}

static struct thread *other;

static void wake_the_other(void *arg)
{
    (void)arg;
    cpus[0].need_resched = false;
    thread_wake(other);
    expect_true(!cpus[0].need_resched, "a thread that runs keeps its turn when another becomes ready");
    note_name();
}

static void an_idle_cpu_is_told_at_once(void **state)
{
    (void)state;
    threads_begin();
    other = thread_run("a", sleep_twice);
    schedule();
    cpus[0].need_resched = false;
    thread_wake(other);
    expect_true(cpus[0].need_resched,
                "the idle thread should give way at the next return from an interrupt, not at the next tick");
    schedule();
    thread_run("b", wake_the_other);
    schedule();
    expect_text(notes, "aaba", "and both ran");
}

static void a_thread_goes_back_to_its_own_cpu(void **state)
{
    (void)state;
    threads_begin();
    cpu_host_be(1);
    struct thread idle = {.cpu = &cpus[1]};
    cpus[1].idle = cpus[1].current = &idle;
    struct thread *thread = thread_create("a", remember, NULL);
    expect_true(thread, "there is memory");
    cpu_host_be(0);
    cpus[0].need_resched = false;
    thread_start(thread);
    expect_number(threads_ready(&cpus[1]), 1, "it was made on CPU 1 and belongs to CPU 1: thread->cpu");
    expect_number(threads_ready(&cpus[0]), 0, "not to the CPU that wakes it");
    expect_true(cpus[1].need_resched && !cpus[0].need_resched, "it is that CPU that has to look");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_thread_runs_its_function),
        cmocka_unit_test(a_new_thread_can_be_interrupted),
        cmocka_unit_test(its_stack_is_aligned_as_the_abi_wants),
        cmocka_unit_test(a_thread_ends_with_its_function),
        cmocka_unit_test(a_thread_does_not_run_before_it_is_started),
        cmocka_unit_test(without_memory_there_is_no_thread),
        cmocka_unit_test(the_last_thread_ends_the_machine),
        cmocka_unit_test(a_thread_is_queued_once),
        cmocka_unit_test(a_preempted_thread_is_not_queued_again),
        cmocka_unit_test(who_does_not_wait_is_not_woken),
        cmocka_unit_test(a_wake_before_the_sleep_is_not_lost),
        cmocka_unit_test(an_idle_cpu_is_told_at_once),
        cmocka_unit_test(a_thread_goes_back_to_its_own_cpu),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
