/* Lab 5: threads of Moss that wait, on the host: for each other, for a time, and for a lock. */
/* sources: guestos/kernel/thread.c guestos/kernel/wait.c tests/unit/moss_host.c tests/unit/[ct]*_host.c */
#include <errno.h>
#include "tests/unit/cpu_host.h"
#include "tests/unit/moss_host.h"
#include "tests/unit/thread_host.h"
#include "expect.h"
#include "guestos/include/clock.h"

static struct wait_queue queue = WAIT_QUEUE_INIT(queue);
static bool ready;
static uint64_t now;

uint64_t clock_ns(void)
{
    return now;
}

static unsigned waiters(void)
{
    const struct list *at = &queue.waiters;
    unsigned n = 0;

    while ((at = at->next) != &queue.waiters)
        if (at->next->prev != at || ++n > 100)
            fail_msg("the wait queue is no list any more: a thread was put into it that was in it already");
    return n;
}

/* As a tick at that time. */
static void tick_at(uint64_t time)
{
    now = time;
    timer_interrupt();
}

static void wait_for_ready(void *arg)
{
    (void)arg;
    int result = wait_until(&queue, ready, NEVER, false);
    expect_number((uint64_t)result, 0, "wait_until() gives 0 when the condition holds");
    note_name();
}

/* --- waiting for each other --- */

static void a_thread_sleeps_until_it_is_woken(void **state)
{
    (void)state;
    threads_begin();
    struct thread *thread = thread_run("a", wait_for_ready);
    schedule();
    expect_number(thread->state, THREAD_WAITING,
                  "wait_prepare() makes the thread THREAD_WAITING, so that schedule() does not come back");
    expect_number(waiters(), 1, "it is in the queue");
    ready = true;
    schedule();
    expect_text(notes, "", "that the condition holds is not noticed by itself");
    wake_all(&queue);
    schedule();
    expect_text(notes, "a", "wake_all() finds it in the queue, and it looks again");
}

static void a_wake_for_nothing_is_no_end(void **state)
{
    (void)state;
    threads_begin();
    struct thread *thread = thread_run("a", wait_for_ready);
    schedule();
    for (unsigned i = 0; i < 3; i++) {
        wake_all(&queue);
        schedule();
        expect_number(waiters(), 1,
                      "woken while the condition does not hold, the thread prepares again: it is in the "
                      "queue once, not twice");
        expect_number(thread->state, THREAD_WAITING, "and waits on");
    }
    expect_text(notes, "", "it has not come back from wait_until()");
}

static void all_who_wait_are_woken(void **state)
{
    (void)state;
    threads_begin();
    thread_run("a", wait_for_ready);
    thread_run("b", wait_for_ready);
    thread_run("c", wait_for_ready);
    schedule();
    expect_number(waiters(), 3, "all three are in the queue");
    ready = true;
    wake_all(&queue);
    schedule();
    expect_text(notes, "abc", "first come, first served: who enters goes to the end");
    expect_number(waiters(), 0, "and nobody is left in the queue");
}

/* --- the moment between looking and sleeping --- */

static void prepare_look_sleep(void *arg)
{
    (void)arg;
    wait_prepare(&queue, NEVER);
    bool seen = ready;
    ready = true; /* an interrupt comes now: it makes the condition true, */
    wake_all(&queue);
    expect_true(!seen, "we looked before");
    wait_sleep(NEVER, false);
    note_name();
    wait_finish(&queue);
}

static void a_wake_between_looking_and_sleeping_counts(void **state)
{
    (void)state;
    threads_begin();
    thread_run("a", prepare_look_sleep);
    schedule();
    expect_text(notes, "a",
                "the thread looked, and then, before it slept, it was woken. It must not sleep now: nobody "
                "would wake it. So it is "
                "in the queue and THREAD_WAITING before it looks, and the wake makes it THREAD_READY again");
}

static void prepare_and_be_preempted(void *arg)
{
    (void)arg;
    wait_prepare(&queue, NEVER);
    timer_interrupt();
    note_name();
    wait_sleep(NEVER, false);
    note_name();
    wait_finish(&queue);
}

static void preemption_on_the_way_to_sleep_loses_nothing(void **state)
{
    (void)state;
    threads_begin();
    thread_run("a", prepare_and_be_preempted);
    thread_run("b", wait_for_ready);
    schedule();
    expect_text(notes, "a", "the thread comes back from its preemption, and then sleeps");
    ready = true;
    wake_all(&queue);
    schedule();
    expect_text(notes, "aab", "until it is woken");
}

/* --- afterwards --- */

static void wait_and_look_around(void *arg)
{
    struct thread *thread = current_thread();

    wait_until(&queue, ready, *(uint64_t *)arg, false);
    expect_number(waiters(), 0, "after wait_finish() the thread is not in the queue");
    expect_true(list_empty(&thread->wait_link), "its wait_link is in no list");
    expect_true(list_empty(&thread->sleep_link),
                "its sleep_link is in no list, even when it was woken before its time");
    expect_number(thread->state, THREAD_READY,
                  "it is THREAD_READY again: else the next schedule(), which only wants to be kind, would "
                  "never come back");
    expect_number(moss_locks_held(), 0, "no lock is held");
    schedule();
    note_name();
}

static void run_to_the_end(const char *name, uint64_t deadline)
{
    static uint64_t until;

    until = deadline;
    struct thread *thread = thread_create(name, wait_and_look_around, &until);
    expect_true(thread, "there is memory");
    thread_start(thread);
    schedule();
}

static void who_need_not_wait_goes_on(void **state)
{
    (void)state;
    threads_begin();
    ready = true;
    run_to_the_end("a", NEVER);
    expect_text(notes, "a",
                "the condition held at the first look: wait_finish() undoes what wait_prepare() did");
    run_to_the_end("b", 1000);
    expect_text(notes, "ab", "the same with a deadline");
}

static void who_was_woken_is_in_no_list(void **state)
{
    (void)state;
    threads_begin();
    run_to_the_end("a", 1000);
    expect_number(waiters(), 1, "it waits, for at most 1000 ns");
    ready = true;
    wake_all(&queue);
    schedule();
    expect_text(notes, "a", "woken in time");
}

/* --- waiting for a time --- */

static void nap_until(uint64_t deadline)
{
    int result = wait_until(&queue, ready, deadline, false);

    expect_number((uint64_t)result, (uint64_t)-ETIMEDOUT,
                  "the deadline passed and the condition does not hold: -ETIMEDOUT");
    note_name();
}

static void nap_100(void *arg)
{
    (void)arg;
    nap_until(100);
}

static void nap_200(void *arg)
{
    (void)arg;
    nap_until(200);
}

static void nap_300(void *arg)
{
    (void)arg;
    nap_until(300);
}

static void a_deadline_ends_the_wait(void **state)
{
    (void)state;
    threads_begin();
    struct thread *thread = thread_run("a", nap_200);
    schedule();
    now = 199;
    wake_sleepers();
    expect_number(thread->state, THREAD_WAITING,
                  "at 199 ns it is too early for a thread that waits until 200");
    tick_at(200);
    expect_text(notes, "a", "when the deadline has come, the tick wakes it");
}

static void each_is_woken_at_its_own_time(void **state)
{
    (void)state;
    threads_begin();
    thread_run("c", nap_300);
    thread_run("a", nap_100);
    thread_run("b", nap_200);
    schedule();
    tick_at(150);
    expect_text(notes, "a",
                "the list of sleepers is in the order in which they came: one whose time has not come may "
                "stand before one whose "
                "time has");
    tick_at(250);
    expect_text(notes, "ab", "and so on");
    tick_at(350);
    expect_text(notes, "abc", "until the last");
}

static void all_who_are_due_are_woken(void **state)
{
    (void)state;
    threads_begin();
    thread_run("a", nap_100);
    thread_run("b", nap_100);
    thread_run("c", nap_200);
    schedule();
    tick_at(300);
    expect_text(
        notes, "abc",
        "one tick may find several whose time has come; the walk goes on when one was taken out of the list");
}

static void wait_forever(void *arg)
{
    (void)arg;
    nap_until(100);
    wait_until(&queue, ready, NEVER, false);
    note_name();
}

static void without_a_deadline_no_tick_wakes(void **state)
{
    (void)state;
    threads_begin();
    struct thread *thread = thread_run("a", wait_forever);
    schedule();
    tick_at(100);
    expect_text(notes, "a", "its first wait ended");
    tick_at(5000);
    expect_number(thread->state, THREAD_WAITING,
                  "its second has no deadline: the first one's must not wake it");
    expect_true(list_empty(&thread->sleep_link), "and it is not among the sleepers");
    ready = true;
    wake_all(&queue);
    schedule();
    expect_text(notes, "aa", "it waits for wake_all()");
}

static void a_woken_sleeper_leaves_the_list(void **state)
{
    (void)state;
    threads_begin();
    struct thread *thread = thread_run("a", nap_100);
    schedule();
    now = 100;
    wake_sleepers();
    expect_number(thread->state, THREAD_READY, "it was woken");
    expect_true(list_empty(&thread->sleep_link),
                "and taken out of the list, so that the next tick does not wake it from something else");
    expect_number(moss_locks_held(), 0, "sleep_lock is released");
}

static void prepare_twice(void *arg)
{
    (void)arg;
    wait_prepare(&queue, 100);
    wait_prepare(&queue, 500);
    wait_sleep(500, false);
    note_name();
    wait_finish(&queue);
}

static void the_last_deadline_counts(void **state)
{
    (void)state;
    threads_begin();
    struct thread *thread = thread_run("a", prepare_twice);
    schedule();
    expect_number(waiters(), 1, "who prepares again is in the queue already");
    tick_at(200);
    expect_number(thread->state, THREAD_WAITING,
                  "the deadline is that of the last wait_prepare(): wake_at is set each time");
    tick_at(500);
    expect_text(notes, "a", "then it is woken");
}

/* --- what is made of it --- */

static void interruptible(void *arg)
{
    (void)arg;
    int result = wait_until(&queue, ready, NEVER, true);
    expect_number((uint64_t)result, (uint64_t)-EINTR,
                  "an interruptible wait ends with -EINTR when there is a signal");
    note_name();
}

static void a_signal_ends_an_interruptible_wait(void **state)
{
    (void)state;
    threads_begin();
    struct thread *thread = thread_run("a", interruptible);
    struct thread *deaf = thread_run("b", wait_for_ready);
    schedule();
    thread_interrupt(thread);
    thread_interrupt(deaf);
    schedule();
    expect_text(notes, "a", "only the wait that is interruptible ends");
    expect_number(waiters(), 1, "the other thread is in the queue again");
}

static struct mutex mutex;
static unsigned inside;

static void work_inside(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < 3; i++) {
        mutex_lock(&mutex);
        expect_number(++inside, 1, "a mutex lets one thread in at a time");
        note_name();
        timer_interrupt(); /* the others try while we are in */
        inside--;
        mutex_unlock(&mutex);
        schedule();
    }
}

static void a_mutex_lets_one_in(void **state)
{
    (void)state;
    threads_begin();
    mutex_init(&mutex);
    thread_run("a", work_inside);
    thread_run("b", work_inside);
    thread_run("c", work_inside);
    schedule();
    expect_number(strlen(notes), 9, "all three get in, three times each");
    expect_number(stacks_in_use, 0, "and all of them end");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thread_sleeps_until_it_is_woken),
        cmocka_unit_test(a_wake_for_nothing_is_no_end),
        cmocka_unit_test(all_who_wait_are_woken),
        cmocka_unit_test(a_wake_between_looking_and_sleeping_counts),
        cmocka_unit_test(preemption_on_the_way_to_sleep_loses_nothing),
        cmocka_unit_test(who_need_not_wait_goes_on),
        cmocka_unit_test(who_was_woken_is_in_no_list),
        cmocka_unit_test(a_deadline_ends_the_wait),
        cmocka_unit_test(each_is_woken_at_its_own_time),
        cmocka_unit_test(all_who_are_due_are_woken),
        cmocka_unit_test(without_a_deadline_no_tick_wakes),
        cmocka_unit_test(a_woken_sleeper_leaves_the_list),
        cmocka_unit_test(the_last_deadline_counts),
        cmocka_unit_test(a_signal_ends_an_interruptible_wait),
        cmocka_unit_test(a_mutex_lets_one_in),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
