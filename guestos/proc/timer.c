/* Interval timers: alarm and setitimer. A kernel thread sleeps until the next one is due, and sends its
 * signal. */
#include "clock.h"
#include "errno.h"
#include "init.h"
#include "printk.h"
#include "process.h"
#include "syscall.h"
#include "user.h"

#define REAL    0
#define TICK_NS (NS_PER_SECOND / TICKS_PER_SECOND)
#define NS_MAX  (1ul << 62) /* a century: so that sums do not wrap */

struct itimerval {
    struct timeval interval, value;
};

static const int timer_signals[TIMERS] = {SIGALRM, SIGVTALRM, SIGPROF};
static bool armed_anew; /* process_lock guards it, as all timers */
static struct wait_queue changed = WAIT_QUEUE_INIT(changed);

/* What the timer counts; a process without a thread has ended. */
static uint64_t now_of(const struct process *process, int which)
{
    return which == REAL || !process->thread ? clock_ns() : process->thread->ticks * TICK_NS;
}

static void fire(struct process *process, int which, uint64_t now)
{
    struct interval_timer *timer = &process->timers[which];

    signal_send_locked(process, timer_signals[which], (struct signal_cause){.code = SI_KERNEL});
    if (timer->interval)
        timer->deadline += ((now - timer->deadline) / timer->interval + 1) * timer->interval;
    else
        timer->deadline = 0;
}

/* Fire what is due. Returns when to look again, by clock_ns(); running time may pass at every tick. */
static uint64_t fire_due(void)
{
    uint64_t next = NEVER, tick = clock_ns() + TICK_NS;

    spin_lock(&process_lock);
    armed_anew = false;
    list_for_each (link, &processes) {
        struct process *process = list_entry(link, struct process, all);
        for (int which = 0; which < TIMERS && process->thread; which++) {
            struct interval_timer *timer = &process->timers[which];
            uint64_t now = now_of(process, which);
            if (timer->deadline && timer->deadline <= now)
                fire(process, which, now);
            if (timer->deadline)
                next = MIN(next, which == REAL ? timer->deadline : tick);
        }
    }
    spin_unlock(&process_lock);
    return next;
}

static void run_timers(void *unused)
{
    (void)unused;
    for (;;) {
        uint64_t next = fire_due();
        wait_until(&changed, armed_anew, next, false);
    }
}

static struct timeval timeval_of(uint64_t ns)
{
    ns += 999; /* microseconds, rounded up: what is left is never told as nothing */
    return (struct timeval){ns / NS_PER_SECOND, ns % NS_PER_SECOND / 1000};
}

static struct itimerval remaining(const struct process *process, int which)
{
    const struct interval_timer *timer = &process->timers[which];
    uint64_t now = now_of(process, which);

    if (!timer->deadline)
        return (struct itimerval){timeval_of(timer->interval), {0, 0}};
    return (struct itimerval){timeval_of(timer->interval),
                              timeval_of(timer->deadline > now ? timer->deadline - now : 1000)};
}

/* Set the timer to go off in `value` ns (0: never). Returns what was left before. */
static struct itimerval arm(int which, uint64_t value, uint64_t interval)
{
    struct process *process = current_process();

    spin_lock(&process_lock);
    struct itimerval old = remaining(process, which);
    uint64_t deadline = value ? now_of(process, which) + value : 0;
    process->timers[which] = (struct interval_timer){deadline, interval};
    armed_anew = true;
    spin_unlock(&process_lock);
    wake_all(&changed);
    return old;
}

static int ns_of(const struct timeval *time, uint64_t *ns)
{
    if (time->sec < 0 || time->usec < 0 || time->usec >= 1000000)
        return -EINVAL;
    *ns = MIN((uint64_t)time->sec, NS_MAX / NS_PER_SECOND) * NS_PER_SECOND + time->usec * 1000;
    return 0;
}

static ssize_t sys_setitimer(int which, uint64_t new, uint64_t old)
{
    struct itimerval wanted = {0};
    uint64_t value, interval;

    if (which < 0 || which >= TIMERS)
        return -EINVAL;
    if (new &&copy_from_user(&wanted, new, sizeof(wanted)) != 0)
        return -EFAULT;
    if (ns_of(&wanted.value, &value) != 0 || ns_of(&wanted.interval, &interval) != 0)
        return -EINVAL;
    struct itimerval before = arm(which, value, interval);
    return old ? copy_to_user(old, &before, sizeof(before)) : 0;
}

static ssize_t sys_getitimer(int which, uint64_t to)
{
    if (which < 0 || which >= TIMERS)
        return -EINVAL;
    spin_lock(&process_lock);
    struct itimerval left = remaining(current_process(), which);
    spin_unlock(&process_lock);
    return copy_to_user(to, &left, sizeof(left));
}

/* Returns the seconds that were left of the alarm before; less than one counts as one. */
static ssize_t sys_alarm(uint32_t seconds)
{
    struct itimerval old = arm(REAL, seconds * NS_PER_SECOND, 0);

    return old.value.sec + (old.value.usec >= 500000 || (old.value.sec == 0 && old.value.usec > 0));
}

static void timer_init(void)
{
    struct thread *thread = thread_create("timers", run_timers, NULL);

    if (!thread)
        panic("no memory for the timers' thread");
    thread_start(thread);
}

SYSCALL(36, sys_getitimer);
SYSCALL(37, sys_alarm);
SYSCALL(38, sys_setitimer);

INIT(INIT_START, timer_init);
