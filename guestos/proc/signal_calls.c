/* System calls about signals. */
#include "clock.h"
#include "errno.h"
#include "process.h"
#include "syscall.h"
#include "user.h"

#define SET_SIZE 8 /* bytes of a set of signals; Linux refuses any other */

static struct wait_queue nothing = WAIT_QUEUE_INIT(nothing); /* to wait in for a signal only */

static ssize_t sys_rt_sigaction(int signal, uint64_t new, uint64_t old, size_t set_size)
{
    struct sigaction *actions = current_process()->signals.actions, action;

    if (set_size != SET_SIZE || signal < 1 || signal > SIGNALS)
        return -EINVAL;
    if (new && (signal == SIGKILL || signal == SIGSTOP))
        return -EINVAL;
    if (new &&copy_from_user(&action, new, sizeof(action)) != 0)
        return -EFAULT;
    if (old && copy_to_user(old, &actions[signal - 1], sizeof(action)) != 0)
        return -EFAULT;
    if (new) {
        spin_lock(&process_lock);
        actions[signal - 1] = action;
        spin_unlock(&process_lock);
    }
    return 0;
}

static ssize_t sys_rt_sigprocmask(int how, uint64_t new, uint64_t old, size_t set_size)
{
    uint64_t blocked = current_process()->signals.blocked, set;

    if (set_size != SET_SIZE)
        return -EINVAL;
    if (new &&copy_from_user(&set, new, sizeof(set)) != 0)
        return -EFAULT;
    if (old && copy_to_user(old, &blocked, sizeof(blocked)) != 0)
        return -EFAULT;
    if (!new)
        return 0;
    if (how == SIG_BLOCK)
        set |= blocked;
    else if (how == SIG_UNBLOCK)
        set = blocked & ~set;
    else if (how != SIG_SETMASK)
        return -EINVAL;
    signal_set_blocked(current_process(), set);
    return 0;
}

static ssize_t sys_rt_sigpending(uint64_t to, size_t set_size)
{
    struct signal_state *signals = &current_process()->signals;
    uint64_t set = signals->pending & signals->blocked;

    return set_size > SET_SIZE ? -EINVAL : copy_to_user(to, &set, set_size);
}

static ssize_t sys_pause(void)
{
    wait_until(&nothing, false, NEVER, true);
    return -ERESTARTNOHAND;
}

static ssize_t sys_rt_sigsuspend(uint64_t user_set, size_t set_size)
{
    struct process *process = current_process();
    uint64_t set;

    if (set_size != SET_SIZE)
        return -EINVAL;
    if (copy_from_user(&set, user_set, sizeof(set)) != 0)
        return -EFAULT;
    process->signals.saved_blocked = process->signals.blocked;
    process->signals.restore_blocked = true;
    signal_set_blocked(process, set);
    return sys_pause();
}

static ssize_t sys_sigaltstack(uint64_t new, uint64_t old)
{
    struct process *process = current_process();
    struct sigaltstack *stack = &process->signals.stack, current = *stack, wanted;
    bool in_use = !(stack->flags & SS_DISABLE) && process->frame->rsp - stack->sp < stack->size;

    if (in_use)
        current.flags |= SS_ONSTACK;
    if (new &&copy_from_user(&wanted, new, sizeof(wanted)) != 0)
        return -EFAULT;
    if (old && copy_to_user(old, &current, sizeof(current)) != 0)
        return -EFAULT;
    if (!new)
        return 0;
    if (in_use)
        return -EPERM;
    if (wanted.flags & ~SS_DISABLE)
        return -EINVAL;
    if (!(wanted.flags & SS_DISABLE) && wanted.size < MINSIGSTKSZ)
        return -ENOMEM;
    *stack = wanted;
    return 0;
}

static struct signal_cause cause_of_kill(int code)
{
    return (struct signal_cause){.code = code, .pid = current_process()->pid};
}

static ssize_t kill_one(int pid, int signal, int code)
{
    spin_lock(&process_lock);
    struct process *process = process_find(pid);
    int error = process ? signal_send_locked(process, signal, cause_of_kill(code)) : -ESRCH;
    spin_unlock(&process_lock);
    return error;
}

/* All but init and the caller. */
static ssize_t kill_all(int signal)
{
    int error = -ESRCH;

    spin_lock(&process_lock);
    list_for_each (link, &processes) {
        struct process *process = list_entry(link, struct process, all);
        if (process != init_process && process != current_process())
            error = signal_send_locked(process, signal, cause_of_kill(SI_USER));
    }
    spin_unlock(&process_lock);
    return error;
}

static ssize_t sys_kill(int pid, int signal)
{
    if (signal < 0 || signal > SIGNALS)
        return -EINVAL;
    if (pid > 0)
        return kill_one(pid, signal, SI_USER);
    if (pid == -1)
        return kill_all(signal);
    if (pid == INT32_MIN)
        return -ESRCH;
    return signal_send_group(pid ? -pid : current_process()->pgid, signal, cause_of_kill(SI_USER));
}

/* A thread's number is its process's. */
static ssize_t sys_tkill(int tid, int signal)
{
    if (tid <= 0 || signal < 0 || signal > SIGNALS)
        return -EINVAL;
    return kill_one(tid, signal, SI_TKILL);
}

static ssize_t sys_tgkill(int pid, int tid, int signal)
{
    if (pid <= 0)
        return -EINVAL;
    return pid == tid ? sys_tkill(tid, signal) : -ESRCH;
}

SYSCALL(13, sys_rt_sigaction);
SYSCALL(14, sys_rt_sigprocmask);
SYSCALL(34, sys_pause);
SYSCALL(62, sys_kill);
SYSCALL(127, sys_rt_sigpending);
SYSCALL(130, sys_rt_sigsuspend);
SYSCALL(131, sys_sigaltstack);
SYSCALL(200, sys_tkill);
SYSCALL(234, sys_tgkill);
