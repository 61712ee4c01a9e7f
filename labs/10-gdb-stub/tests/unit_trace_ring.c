/* Lab 10: the ring between a vCPU's thread and the writer's. */
/* sources: hypervisor/inspect/trace_ring.c hypervisor/host.c */
#include <stdlib.h>
#include "expect.h"
#include "inspect/trace.h"

static struct trace_ring ring;

static void put(uint64_t number)
{
    trace_put(&ring, &(struct trace_event){.begin = number});
}

static void events_come_out_in_their_order(void **state)
{
    struct trace_event e;

    (void)state;
    assert_int_equal(trace_ring_init(&ring), 0);
    expect_true(!trace_take(&ring, &e), "a new ring is empty");
    for (uint64_t i = 0; i < 3 * TRACE_RING; i++) {
        put(i);
        expect_true(trace_take(&ring, &e), "what was put is there");
        expect_number(e.begin, i, "first in, first out, also where the index wraps around the array");
    }
    expect_true(!trace_take(&ring, &e), "and each comes once");
    trace_ring_free(&ring);
}

static void a_full_ring_drops_what_is_new_and_counts_it(void **state)
{
    struct trace_event e;

    (void)state;
    assert_int_equal(trace_ring_init(&ring), 0);
    for (uint64_t i = 0; i < TRACE_RING + 5; i++)
        put(i);
    expect_number(ring.dropped, 5, "the vCPU never waits: what does not fit is dropped, and counted");
    for (uint64_t i = 0; i < TRACE_RING; i++)
        expect_true(trace_take(&ring, &e) && e.begin == i, "what was there stays as it was");
    expect_true(!trace_take(&ring, &e), "no event was made from a dropped one");
    put(7);
    expect_true(trace_take(&ring, &e) && e.begin == 7, "and the ring goes on");
    trace_ring_free(&ring);
}

#define MANY 2000000

static void *put_many(void *unused)
{
    for (uint64_t i = 1; i <= MANY; i++)
        put(i);
    return unused;
}

static void two_threads_lose_nothing_uncounted(void **state)
{
    uint64_t taken = 0, last = 0;
    struct trace_event e;
    pthread_t thread;

    (void)state;
    assert_int_equal(trace_ring_init(&ring), 0);
    assert_int_equal(pthread_create(&thread, NULL, put_many, NULL), 0);
    while (last < MANY && taken + __atomic_load_n(&ring.dropped, __ATOMIC_RELAXED) < MANY)
        if (trace_take(&ring, &e)) {
            expect_true(e.begin > last, "whole events, in order: head moves only after the event is written");
            last = e.begin;
            taken++;
        }
    pthread_join(thread, NULL);
    while (trace_take(&ring, &e))
        taken++;
    expect_number(taken + ring.dropped, MANY, "each event was either taken or counted as dropped");
    trace_ring_free(&ring);
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
