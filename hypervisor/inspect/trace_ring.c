/* The ring between the vCPUs, which put events, and the file's thread, which takes them. Its lock is held
 * only while one event is copied, so no guest waits for the file. */
#include "trace.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct trace_event ring[TRACE_RING];
static uint64_t head, tail; /* events put and taken so far */
static uint64_t dropped;

void trace_put(const struct trace_event *event)
{
    pthread_mutex_lock(&lock);
    if (head - tail < TRACE_RING)
        ring[head++ % TRACE_RING] = *event;
    else
        dropped++;
    pthread_mutex_unlock(&lock);
}

bool trace_take(struct trace_event *event)
{
    pthread_mutex_lock(&lock);
    bool found = tail < head;
    if (found)
        *event = ring[tail++ % TRACE_RING];
    pthread_mutex_unlock(&lock);
    return found;
}

uint64_t trace_dropped(void)
{
    pthread_mutex_lock(&lock);
    uint64_t count = dropped;
    dropped = 0;
    pthread_mutex_unlock(&lock);
    return count;
}
