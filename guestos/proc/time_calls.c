/* System calls about time. */
#include "clock.h"
#include "errno.h"
#include "process.h"
#include "syscall.h"
#include "time_calls.h"
#include "user.h"

#define CLOCK_REALTIME           0
#define CLOCK_MONOTONIC          1
#define CLOCK_PROCESS_CPUTIME_ID 2
#define CLOCK_THREAD_CPUTIME_ID  3
#define CLOCK_REALTIME_COARSE    5
#define CLOCK_BOOTTIME           7 /* the last; it and the rest are coarse or raw forms of CLOCK_MONOTONIC */
#define TIMER_ABSTIME            1
#define TICK_NS                  (NS_PER_SECOND / TICKS_PER_SECOND)

static struct wait_queue sleepers = WAIT_QUEUE_INIT(sleepers);

static bool clock_ok(int clock)
{
    return clock >= 0 && clock <= CLOCK_BOOTTIME;
}

static uint64_t read_clock(int clock)
{
    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
        return clock_wall_ns();
    if (clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID)
        return current_thread()->ticks * TICK_NS;
    return clock_ns();
}

static int give_time(uint64_t to, uint64_t ns)
{
    struct timespec time = {ns / NS_PER_SECOND, ns % NS_PER_SECOND};

    return copy_to_user(to, &time, sizeof(time));
}

static ssize_t sys_clock_gettime(int clock, uint64_t to)
{
    return clock_ok(clock) ? give_time(to, read_clock(clock)) : -EINVAL;
}

static ssize_t sys_clock_getres(int clock, uint64_t to)
{
    if (!clock_ok(clock))
        return -EINVAL;
    return to ? give_time(to, 1) : 0;
}

static ssize_t sys_clock_settime(int clock, uint64_t from)
{
    struct timespec time;

    if (clock != CLOCK_REALTIME)
        return -EINVAL;
    if (copy_from_user(&time, from, sizeof(time)) != 0)
        return -EFAULT;
    if (time.sec < 0 || time.nsec < 0 || time.nsec >= (int64_t)NS_PER_SECOND)
        return -EINVAL;
    clock_set_wall(time.sec * NS_PER_SECOND + time.nsec);
    return 0;
}

static ssize_t sys_gettimeofday(uint64_t to, uint64_t zone)
{
    uint64_t ns = clock_wall_ns();
    struct timeval time = {ns / NS_PER_SECOND, ns % NS_PER_SECOND / 1000};

    if (zone && clear_user(zone, 8) != 0)
        return -EFAULT;
    return to ? copy_to_user(to, &time, sizeof(time)) : 0;
}

static ssize_t sys_time(uint64_t to)
{
    int64_t seconds = clock_wall_ns() / NS_PER_SECOND;

    return to && copy_to_user(to, &seconds, sizeof(seconds)) != 0 ? -EFAULT : seconds;
}

int timespec_from_user(uint64_t from, uint64_t *ns)
{
    struct timespec time;

    if (copy_from_user(&time, from, sizeof(time)) != 0)
        return -EFAULT;
    if (time.sec < 0 || time.nsec < 0 || time.nsec >= (int64_t)NS_PER_SECOND)
        return -EINVAL;
    *ns = MIN((uint64_t)time.sec, UINT32_MAX) * NS_PER_SECOND + time.nsec;
    return 0;
}

static ssize_t sys_clock_nanosleep(int clock, uint32_t flags, uint64_t request, uint64_t remaining)
{
    uint64_t ns, now = clock_ns();

    if (!clock_ok(clock) || clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID)
        return -EINVAL;
    int error = timespec_from_user(request, &ns);
    if (error)
        return error;
    if (flags & TIMER_ABSTIME) {
        uint64_t past = read_clock(clock);
        ns -= MIN(ns, past);
    }
    uint64_t deadline = sleep_begin(now + ns);
    if (wait_until(&sleepers, false, deadline, true) == -ETIMEDOUT)
        return 0;
    now = clock_ns();
    if (remaining && !(flags & TIMER_ABSTIME) &&
        give_time(remaining, deadline > now ? deadline - now : 0) != 0)
        return -EFAULT;
    return sleep_interrupted(deadline);
}

static ssize_t sys_nanosleep(uint64_t request, uint64_t remaining)
{
    return sys_clock_nanosleep(CLOCK_MONOTONIC, 0, request, remaining);
}

static ssize_t sys_times(uint64_t to)
{
    struct tms tms = {.user = current_thread()->ticks, .child_user = current_process()->children_ticks};

    if (to && copy_to_user(to, &tms, sizeof(tms)) != 0)
        return -EFAULT;
    return clock_ns() / TICK_NS;
}

static ssize_t sys_getrusage(int who, uint64_t to)
{
    uint64_t ticks = who == 0 ? current_thread()->ticks : current_process()->children_ticks;
    struct rusage usage = {
        .user = {ticks / TICKS_PER_SECOND, ticks % TICKS_PER_SECOND * (1000000 / TICKS_PER_SECOND)}};

    return who == 0 || who == -1 ? copy_to_user(to, &usage, sizeof(usage)) : -EINVAL;
}

SYSCALL(35, sys_nanosleep);
SYSCALL(96, sys_gettimeofday);
SYSCALL(98, sys_getrusage);
SYSCALL(100, sys_times);
SYSCALL(201, sys_time);
SYSCALL(227, sys_clock_settime);
SYSCALL(228, sys_clock_gettime);
SYSCALL(229, sys_clock_getres);
SYSCALL(230, sys_clock_nanosleep);
