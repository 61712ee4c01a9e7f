/* Threads to look at: with the option demo=threads two of them take turns, and sleep before they pass the
 * turn on. */
#include "boot.h"
#include "clock.h"
#include "init.h"
#include "printk.h"
#include "string.h"
#include "thread.h"

#define TURNS    6
#define SLEEP_MS 50

static struct wait_queue turn_changed = WAIT_QUEUE_INIT(turn_changed);
static struct wait_queue nobody = WAIT_QUEUE_INIT(nobody); /* who waits here is woken by the clock alone */
static unsigned turn;

static uint64_t now_ms(void)
{
    return clock_ns() * 1000 / NS_PER_SECOND;
}

static void sleep_ms(unsigned ms)
{
    uint64_t end = clock_ns() + ms * NS_PER_SECOND / 1000;

    wait_until(&nobody, false, end, false);
}

static void take_turns(void *arg)
{
    for (unsigned mine = (uint64_t)arg; mine < TURNS; mine += 2) {
        wait_until(&turn_changed, turn == mine, NEVER, false);
        warn("demo: turn %u is %s's, at %lu ms\r\n", turn, current_thread()->name, now_ms());
        sleep_ms(SLEEP_MS);
        if (++turn == TURNS)
            warn("demo: done\r\n");
        wake_all(&turn_changed);
    }
}

static void start(const char *name, uint64_t first_turn)
{
    struct thread *thread = thread_create(name, take_turns, (void *)first_turn);

    if (thread)
        thread_start(thread);
}

static void demo_threads(void)
{
    const char *wanted = boot_option("demo", 0);

    if (!wanted || strncmp(wanted, "threads", 7) != 0)
        return;
    start("ping", 0);
    start("pong", 1);
}

INIT(INIT_START, demo_threads);
