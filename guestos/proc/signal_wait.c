/* rt_sigtimedwait: taking a pending signal without a handler; and sending one with a value. */
#include "clock.h"
#include "errno.h"
#include "process.h"
#include "signal_frame.h"
#include "syscall.h"
#include "time_calls.h"
#include "user.h"

#define BIT(signal) (1ul << ((signal)-1))

static struct wait_queue nothing = WAIT_QUEUE_INIT(nothing); /* a signal wakes whoever it is for, by itself */

/* Take the lowest pending signal of the set. Returns 0 if there is none. */
static int take(uint64_t set, struct signal_cause *cause)
{
    struct signal_state *signals = &current_process()->signals;
    int signal = 0;

    spin_lock(&process_lock);
    if (signals->pending & set) {
        signal = __builtin_ctzl(signals->pending & set) + 1;
        signals->pending &= ~BIT(signal);
        *cause = signals->causes[signal - 1];
    }
    spin_unlock(&process_lock);
    return signal;
}

static void await(uint64_t set)
{
    struct process *process = current_process();

    spin_lock(&process_lock);
    process->signals.awaited = set;
    spin_unlock(&process_lock);
    if (!set)
        signal_set_blocked(process,
                           process->signals.blocked); /* it is no longer interrupted by what it took */
}

static ssize_t sys_rt_sigtimedwait(uint64_t user_set, uint64_t user_info, uint64_t user_timeout,
                                   size_t set_size)
{
    struct signal_cause cause;
    uint64_t set, timeout = 0;
    int signal = 0;

    if (set_size != sizeof(set))
        return -EINVAL;
    if (copy_from_user(&set, user_set, sizeof(set)) != 0)
        return -EFAULT;
    int error = user_timeout ? timespec_from_user(user_timeout, &timeout) : 0;
    if (error)
        return error;
    set &= ~(BIT(SIGKILL) | BIT(SIGSTOP));
    await(set);
    error =
        wait_until(&nothing, (signal = take(set, &cause)), user_timeout ? clock_ns() + timeout : NEVER, true);
    await(0);
    if (!signal)
        return error == -ETIMEDOUT ? -EAGAIN : -EINTR;
    struct siginfo info = signal_info(signal, &cause);
    return user_info && copy_to_user(user_info, &info, sizeof(info)) != 0 ? -EFAULT : signal;
}

SYSCALL(128, sys_rt_sigtimedwait);
