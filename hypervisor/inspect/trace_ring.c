/* A ring between two threads: the vCPU's thread puts events and never waits; the writer's takes them. */
#include <stdlib.h>
#include "trace.h"

int trace_ring_init(struct trace_ring *ring)
{
    *ring = (struct trace_ring){.events = calloc(TRACE_RING, sizeof *ring->events)};
    return ring->events ? 0 : complain(-ENOMEM, "--trace: no memory for its rings");
}

void trace_ring_free(struct trace_ring *ring)
{
    free(ring->events);
    ring->events = NULL;
}

void trace_put(struct trace_ring *ring, const struct trace_event *event)
{
    uint64_t head = ring->head;

    if (head - __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE) == TRACE_RING) {
        ring->dropped++; /* better a gap that is told than a guest that waits */
        return;
    }
    ring->events[head % TRACE_RING] = *event;
    __atomic_store_n(&ring->head, head + 1, __ATOMIC_RELEASE); /* after the event itself */
}

bool trace_take(struct trace_ring *ring, struct trace_event *event)
{
    uint64_t tail = ring->tail;

    if (tail == __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE))
        return false;
    *event = ring->events[tail % TRACE_RING];
    __atomic_store_n(&ring->tail, tail + 1, __ATOMIC_RELEASE);
    return true;
}
