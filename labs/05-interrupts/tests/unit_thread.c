/* Lab 5: Moss's threads and scheduler, on the host: real stacks, real switches, and a timer that interrupts
 * when told to. */
/* sources: guestos/kernel/thread.c tests/unit/moss_host.c tests/unit/cpu_host.c tests/unit/thread_host.c */
#include "tests/unit/cpu_host.h"
#include "tests/unit/moss_host.h"
#include "tests/unit/thread_host.h"
#include "expect.h"

static unsigned sleepers_woken;

void wake_sleepers(void)
{
    sleepers_woken++;
}

/* As wait_prepare() leaves the thread that calls. */
static void prepare_to_wait(void)
{
    current_thread()->state = THREAD_WAITING;
}

static void note_name(void)
{
    note(current_thread()->name[0]);
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

static void sleep_twice(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < 2; i++) {
        note_name();
        prepare_to_wait();
        schedule();
    }
    note_name();
}

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

/* --- switch_away --- */

static void three_turns(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < 3; i++) {
        note_name();
        schedule();
    }
}

static void threads_take_turns(void **state)
{
    (void)state;
    threads_begin();
    thread_run("a", three_turns);
    thread_run("b", three_turns);
    thread_run("c", three_turns);
    schedule();
    expect_text(notes, "abcabcabc",
                "who gives up the CPU goes to the end of the queue; the first of the queue is next");
    expect_number(moss_locks_held(), 0, "the run queue's lock is released on both sides of a switch");
}

static void who_waits_does_not_run(void **state)
{
    (void)state;
    threads_begin();
    struct thread *thread = thread_run("a", sleep_twice);
    thread_run("b", three_turns);
    schedule();
    expect_text(notes, "abbb", "a thread that is THREAD_WAITING is not put into the run queue by schedule()");
    expect_number(thread->state, THREAD_WAITING, "it waits on");
}

static void preempted(void *arg)
{
    (void)arg;
    prepare_to_wait();
    timer_interrupt();
    expect_number(current_thread()->state, THREAD_WAITING, "preemption does not change the state");
    note_name();
}

static void preemption_is_no_sleep(void **state)
{
    (void)state;
    threads_begin();
    thread_run("a", preempted);
    thread_run("b", three_turns);
    schedule();
    expect_text(notes, "babb",
                "preempted between wait_prepare() and the look at the condition, a thread must come back by "
                "itself: it may "
                "find that it need not sleep. `yield` says so");
}

static void with_interrupts_off(void *arg)
{
    (void)arg;
    cpu_host_irq_on = false;
    schedule();
    expect_true(!cpu_host_irq_on,
                "interrupts were off when schedule() was called: they are off when it comes back");
    note_name();
    cpu_host_irq_on = true;
    schedule();
    expect_true(cpu_host_irq_on,
                "interrupts were on when schedule() was called: they are on when it comes back");
    note_name();
}

static void interrupts_are_left_as_they_were(void **state)
{
    (void)state;
    threads_begin();
    thread_run("a", with_interrupts_off);
    thread_run("b", three_turns);
    schedule();
    expect_text(notes, "babab", "each of them comes back");
    expect_true(cpu_host_irq_on, "the idle thread, too, finds its interrupts on");
}

static void alone_nothing_changes(void **state)
{
    (void)state;
    threads_begin();
    thread_run("a", with_interrupts_off);
    schedule();
    expect_text(notes, "aa",
                "with nobody else in the queue, the same thread goes on, with interrupts as they were");
    expect_number(moss_locks_held(), 0, "and the lock is released");
}

static void during_a_switch(struct thread *thread)
{
    (void)thread;
    expect_true(!cpu_host_irq_on,
                "an interrupt in the middle of a switch would find half of each thread: interrupts are off");
    expect_true(cpus[0].run_lock.locked,
                "and another CPU could run a thread whose registers are not saved yet: run_lock is held");
    note('.');
}

static void a_switch_is_not_disturbed(void **state)
{
    (void)state;
    threads_begin();
    struct thread *thread = thread_create("a", three_turns, NULL);
    expect_true(thread, "there is memory");
    thread->switch_in = thread->switch_out = during_a_switch;
    thread_run("b", three_turns);
    thread_start(thread);
    schedule();
    expect_text(notes, "b.a.b.a.b.a...",
                "both hooks are called at each switch; alone there is none to be called for");
}

static void count_ready(void *arg)
{
    (void)arg;
    expect_number(threads_ready(&cpus[0]), 0,
                  "the idle thread is never in the run queue: dequeue() gives it when the queue is empty. As "
                  "one of many, it "
                  "would take turns with those who work");
    note_name();
}

static void the_idle_thread_is_not_queued(void **state)
{
    (void)state;
    threads_begin();
    thread_run("a", count_ready);
    schedule();
    expect_text(notes, "a", "it runs");
    thread_run("b", count_ready);
    timer_interrupt();
    expect_text(notes, "ab", "the same when the idle thread is preempted");
}

static void preempt_without_need(void *arg)
{
    (void)arg;
    timer_interrupt();
    expect_true(!cpus[0].need_resched,
                "a new turn has begun: the next thread is not held to blame for the last one's tick");
    preempt();
    preempt();
    note_name();
}

static void a_turn_lasts_until_the_next_tick(void **state)
{
    (void)state;
    threads_begin();
    thread_run("a", preempt_without_need);
    thread_run("b", preempt_without_need);
    schedule();
    expect_text(notes, "ab", "a is preempted once, b is, and then each runs to its end");
}

/* --- before a choice --- */

static void three_ticks(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < 3; i++) {
        note_name();
        timer_interrupt();
    }
}

static void wake_the_other_thread(void)
{
    note('?');
    thread_wake(other);
}

static void who_can_make_threads_ready_is_asked_first(void **state)
{
    (void)state;
    threads_begin();
    other = thread_run("a", sleep_twice);
    before_choice = wake_the_other_thread;
    schedule();
    expect_text(notes, "?a?a?a?",
                "before each choice: twice \"a\" is woken on its way to sleep, and goes on at once; its end "
                "is a choice, too");
    before_choice = NULL;
    thread_run("b", three_ticks);
    before_choice = wake_the_other_thread;
    timer_interrupt();
    expect_text(notes + strlen("?a?a?a?"), "?b?b?b??", "before each turn's end, and once for b's own end");
    before_choice = NULL;
}

static void a_cpu_rests_when_nobody_is_ready(void **state)
{
    (void)state;
    threads_begin();
    expect_true(some_cpu_rests(), "the idle thread runs, and nobody is in the queue");
    other = thread_run("a", sleep_twice);
    expect_true(!some_cpu_rests(), "somebody is");
    schedule();
    struct thread busy = {.state = THREAD_READY};
    cpus[0].current = &busy;
    expect_true(!some_cpu_rests(), "a thread runs that does not wait");
    busy.state = THREAD_WAITING;
    expect_true(some_cpu_rests(), "it will wait, and nobody is there to run instead");
    thread_wake(other);
    expect_true(!some_cpu_rests(), "now somebody is");
    cpus[1].idle = cpus[1].current = &busy;
    list_init(&cpus[1].run_queue);
    expect_true(some_cpu_rests(), "another CPU counts, too");
    cpus[1].current = NULL;
    cpus[0].current = cpus[0].idle;
}

/* --- the tick --- */

static void the_tick_tells_its_end(void **state)
{
    (void)state;
    threads_begin();
    timer_handler();
    expect_number(ends_of_interrupts, 1,
                  "apic_eoi() before anything can switch to another thread: until then the local APIC lets "
                  "no other interrupt in");
}

static void ticks_are_counted(void **state)
{
    (void)state;
    threads_begin();
    timer_handler();
    timer_handler();
    expect_number(cpus[0].ticks, 2, "cpu->ticks: how many the CPU has had");
    expect_number(current_thread()->ticks, 2, "thread->ticks: how many found this thread running");
}

static void a_tick_ends_a_turn(void **state)
{
    (void)state;
    threads_begin();
    thread_run("a", three_ticks);
    thread_run("b", three_ticks);
    schedule();
    expect_text(notes, "ababab",
                "threads that never give up the CPU take turns all the same: the tick sets need_resched");
}

static void in_the_handler(void *arg)
{
    (void)arg;
    timer_handler();
    expect_true(cpus[0].need_resched, "the tick asks for a switch by need_resched");
    note_name();
}

static void the_tick_itself_does_not_switch(void **state)
{
    (void)state;
    threads_begin();
    thread_run("a", in_the_handler);
    thread_run("b", in_the_handler);
    schedule();
    expect_text(notes, "ab",
                "the handler only asks for a switch: where the interrupted code had interrupts off, there "
                "must be none");
}

static void one_cpu_wakes_the_sleepers(void **state)
{
    (void)state;
    threads_begin();
    timer_handler();
    expect_number(sleepers_woken, 1, "CPU 0 calls wake_sleepers() at each of its ticks");
    cpu_host_be(1);
    struct thread idle = {.cpu = &cpus[1]};
    cpus[1].idle = cpus[1].current = &idle;
    timer_handler();
    expect_number(sleepers_woken, 1, "the others need not: the sleepers are those of all CPUs");
    expect_number(cpus[1].ticks, 1, "but they count their own ticks");
    expect_number(ends_of_interrupts, 2, "and end their own interrupts");
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
        cmocka_unit_test(threads_take_turns),
        cmocka_unit_test(who_waits_does_not_run),
        cmocka_unit_test(preemption_is_no_sleep),
        cmocka_unit_test(interrupts_are_left_as_they_were),
        cmocka_unit_test(alone_nothing_changes),
        cmocka_unit_test(a_switch_is_not_disturbed),
        cmocka_unit_test(the_idle_thread_is_not_queued),
        cmocka_unit_test(a_turn_lasts_until_the_next_tick),
        cmocka_unit_test(who_can_make_threads_ready_is_asked_first),
        cmocka_unit_test(a_cpu_rests_when_nobody_is_ready),
        cmocka_unit_test(the_tick_tells_its_end),
        cmocka_unit_test(ticks_are_counted),
        cmocka_unit_test(a_tick_ends_a_turn),
        cmocka_unit_test(the_tick_itself_does_not_switch),
        cmocka_unit_test(one_cpu_wakes_the_sleepers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
