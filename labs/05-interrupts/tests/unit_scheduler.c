/* Lab 5: Moss's scheduler, on the host: real stacks, real switches, and a timer that interrupts when told to.
 */
/* sources: guestos/kernel/thread.c tests/unit/moss_host.c tests/unit/cpu_host.c tests/unit/thread_host.c */
#include "tests/unit/cpu_host.h"
#include "tests/unit/moss_host.h"
#include "tests/unit/thread_host.h"
#include "expect.h"

static unsigned sleepers_woken;
static struct thread *other;

void wake_sleepers(void)
{
    sleepers_woken++;
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
