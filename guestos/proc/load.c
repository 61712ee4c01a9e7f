/* The load average: how many processes run or want to, sampled every five seconds, as Linux does it
 * (getloadavg(3)). */
#include "clock.h"
#include "init.h"
#include "printk.h"
#include "process.h"

#define PERIOD (5 * NS_PER_SECOND)
#define ONE    65536ul

/* e^(-5/60), e^(-5/300) and e^(-5/900), in units of 1/65536: what is left of an old value after a period. */
static const uint64_t decay[3] = {60296, 64453, 65173};

static struct wait_queue nothing = WAIT_QUEUE_INIT(nothing);

static uint64_t count_running(void)
{
    uint64_t count = 0;

    spin_lock(&process_lock);
    list_for_each (link, &processes) {
        const struct thread *thread = list_entry(link, struct process, all)->thread;
        count += thread && thread->state == THREAD_READY;
    }
    spin_unlock(&process_lock);
    return count;
}

static void measure(void *unused)
{
    (void)unused;
    for (uint64_t next = clock_ns() + PERIOD;; next += PERIOD) {
        wait_until(&nothing, false, next, false);
        uint64_t running = count_running();
        for (int i = 0; i < 3; i++)
            load_averages[i] = (load_averages[i] * decay[i] + running * ONE * (ONE - decay[i])) / ONE;
    }
}

static void load_init(void)
{
    struct thread *thread = thread_create("load", measure, NULL);

    if (!thread)
        panic("no memory for the thread that measures the load");
    thread_start(thread);
}

INIT(INIT_START, load_init);
