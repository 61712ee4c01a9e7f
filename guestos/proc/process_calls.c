/* System calls about who a process is: numbers, groups, sessions, users, limits. */
#include "cpu.h"
#include "errno.h"
#include "process.h"
#include "syscall.h"
#include "user.h"

#define ARCH_SET_FS 0x1002
#define ARCH_GET_FS 0x1003

static ssize_t sys_getpid(void)
{
    return current_process()->pid;
}

static ssize_t sys_gettid(void)
{
    return current_process()->pid;
}

static ssize_t sys_getppid(void)
{
    struct process *parent = current_process()->parent;

    return parent ? parent->pid : 0;
}

/* Moss knows one user: root. */
static ssize_t sys_getuid(void)
{
    return 0;
}

static ssize_t sys_geteuid(void)
{
    return 0;
}

static ssize_t sys_getgid(void)
{
    return 0;
}

static ssize_t sys_getegid(void)
{
    return 0;
}

/* A process by number, 0 being the caller. With process_lock held. */
static struct process *process_or_self(int pid)
{
    return pid ? process_find(pid) : current_process();
}

/* Is there a process of this session in the group? */
static bool group_in_session(int pgid, int sid)
{
    list_for_each (link, &processes) {
        struct process *process = list_entry(link, struct process, all);
        if (process->pgid == pgid && process->sid == sid)
            return true;
    }
    return false;
}

static int change_group(struct process *process, int pgid)
{
    if (!process || (process != current_process() && process->parent != current_process()))
        return -ESRCH;
    if (process->sid != current_process()->sid || process->pid == process->sid)
        return -EPERM;
    if (pgid != process->pid && !group_in_session(pgid, process->sid))
        return -EPERM;
    process->pgid = pgid;
    return 0;
}

static ssize_t sys_setpgid(int pid, int pgid)
{
    if (pgid < 0)
        return -EINVAL;
    spin_lock(&process_lock);
    struct process *process = process_or_self(pid);
    int error = change_group(process, pgid ? pgid : process ? process->pid : 0);
    spin_unlock(&process_lock);
    return error;
}

static ssize_t sys_getpgid(int pid)
{
    spin_lock(&process_lock);
    struct process *process = process_or_self(pid);
    ssize_t result = process ? process->pgid : -ESRCH;
    spin_unlock(&process_lock);
    return result;
}

static ssize_t sys_getpgrp(void)
{
    return current_process()->pgid;
}

static ssize_t sys_getsid(int pid)
{
    spin_lock(&process_lock);
    struct process *process = process_or_self(pid);
    ssize_t result = process ? process->sid : -ESRCH;
    spin_unlock(&process_lock);
    return result;
}

static ssize_t sys_setsid(void)
{
    struct process *process = current_process();

    if (process->pgid == process->pid && process != init_process)
        return -EPERM;
    process->pgid = process->sid = process->pid;
    return process->sid;
}

static ssize_t sys_set_tid_address(uint64_t address)
{
    current_process()->clear_tid = address;
    return current_process()->pid;
}

/* The list tells what to unlock when a thread dies that shares memory with others; a process of one thread
 * need not be asked. */
static ssize_t sys_set_robust_list(uint64_t head, size_t size)
{
    (void)head;
    return size == 24 ? 0 : -EINVAL;
}

static ssize_t sys_arch_prctl(int code, uint64_t address)
{
    struct process *process = current_process();

    if (code == ARCH_GET_FS)
        return copy_to_user(address, &process->fs_base, sizeof(process->fs_base));
    if (code != ARCH_SET_FS)
        return -EINVAL;
    if (!user_range(address, 0))
        return -EPERM;
    irq_disable();
    process->fs_base = address;
    write_msr(MSR_FS_BASE, address);
    irq_enable();
    return 0;
}

static struct rlimit limit_of(unsigned resource)
{
    switch (resource) {
    case RLIMIT_STACK:
        return (struct rlimit){STACK_SIZE, STACK_SIZE};
    case RLIMIT_NPROC:
        return (struct rlimit){PROCESSES_MAX, PROCESSES_MAX};
    case RLIMIT_NOFILE:
        return (struct rlimit){FILES_MAX, FILES_MAX};
    default:
        return (struct rlimit){RLIM_INFINITY, RLIM_INFINITY};
    }
}

/* The limits can be read; they are Moss's own and do not change. */
static ssize_t sys_prlimit64(int pid, unsigned resource, uint64_t new, uint64_t old)
{
    struct rlimit limit = limit_of(resource), wanted;

    if (resource >= RLIM_COUNT)
        return -EINVAL;
    if (pid && pid != current_process()->pid)
        return -ESRCH;
    if (new &&copy_from_user(&wanted, new, sizeof(wanted)) != 0)
        return -EFAULT;
    if (new &&wanted.current > wanted.max)
        return -EINVAL;
    if (old && copy_to_user(old, &limit, sizeof(limit)) != 0)
        return -EFAULT;
    return new &&wanted.max > limit.max ? -EPERM : 0;
}

static ssize_t sys_getrlimit(unsigned resource, uint64_t to)
{
    return sys_prlimit64(0, resource, 0, to);
}

static ssize_t sys_sched_yield(void)
{
    schedule();
    return 0;
}

SYSCALL(24, sys_sched_yield);
SYSCALL(39, sys_getpid);
SYSCALL(97, sys_getrlimit);
SYSCALL(102, sys_getuid);
SYSCALL(104, sys_getgid);
SYSCALL(107, sys_geteuid);
SYSCALL(108, sys_getegid);
SYSCALL(109, sys_setpgid);
SYSCALL(110, sys_getppid);
SYSCALL(111, sys_getpgrp);
SYSCALL(112, sys_setsid);
SYSCALL(121, sys_getpgid);
SYSCALL(124, sys_getsid);
SYSCALL(158, sys_arch_prctl);
SYSCALL(186, sys_gettid);
SYSCALL(218, sys_set_tid_address);
SYSCALL(273, sys_set_robust_list);
SYSCALL(302, sys_prlimit64);
