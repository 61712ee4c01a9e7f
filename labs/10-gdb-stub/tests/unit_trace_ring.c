/* Lab 10: the ring between a vCPU's thread and the writer's. */
/* sources: hypervisor/inspect/trace_ring.c */
#include "expect.h"
#include "inspect/trace.h"

static void put(uint64_t number)
{
    trace_put(&(struct trace_event){.begin = number});
}

static void events_come_out_in_their_order(void **state)
{
    struct trace_event e;

    (void)state;
    expect_true(!trace_take(&e), "a new ring is empty");
    for (uint64_t i = 0; i < 3 * TRACE_RING; i++) {
        put(i);
        expect_true(trace_take(&e), "what was put is there");
        expect_number(e.begin, i, "first in, first out, also where the index wraps around the array");
    }
    expect_true(!trace_take(&e), "and each comes once");
}

static void a_full_ring_drops_what_is_new_and_counts_it(void **state)
{
    struct trace_event e;

    (void)state;
    for (uint64_t i = 0; i < TRACE_RING + 5; i++)
        put(i);
    expect_number(trace_dropped(), 5, "the vCPU does not wait: what does not fit is dropped, and counted");
    expect_number(trace_dropped(), 0, "once");
    for (uint64_t i = 0; i < TRACE_RING; i++)
        expect_true(trace_take(&e) && e.begin == i, "what was there stays as it was");
    expect_true(!trace_take(&e), "no event was made from a dropped one");
    put(7);
    expect_true(trace_take(&e) && e.begin == 7, "and the ring goes on");
}

#define MANY 200000

static bool done;

static void *put_many(void *unused)
{
    for (uint64_t i = 1; i <= MANY; i++)
        put(i);
    __atomic_store_n(&done, true, __ATOMIC_RELEASE);
    return unused;
}

static void two_threads_lose_nothing_uncounted(void **state)
{
    uint64_t taken = 0, last = 0;
    struct trace_event e;
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, put_many, NULL), 0);
    for (bool over = false, found = true; found || !over;) {
        over = __atomic_load_n(&done, __ATOMIC_ACQUIRE); /* nothing comes after that */
        found = trace_take(&e);
        taken += found && e.begin > last;
        last = found ? e.begin : last;
    }
    pthread_join(thread, NULL);
    expect_number(taken + trace_dropped(), MANY,
                  "each event was either taken, whole and in order, or counted");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_come_out_in_their_order),
        cmocka_unit_test(a_full_ring_drops_what_is_new_and_counts_it),
        cmocka_unit_test(two_threads_lose_nothing_uncounted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
