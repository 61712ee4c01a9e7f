/* System calls about scheduling and about habits of a process: Moss has one policy and one CPU for programs,
 * and says so. */
#include "errno.h"
#include "process.h"
#include "string.h"
#include "syscall.h"
#include "user.h"

#define PRIO_USER   2
#define NICE_RAW    20 /* getpriority's raw answer for nice 0 */
#define SCHED_OTHER 0

#define PR_GET_DUMPABLE 3
#define PR_SET_DUMPABLE 4
#define PR_SET_NAME     15
#define PR_GET_NAME     16

static bool exists(int pid)
{
    spin_lock(&process_lock);
    bool found = pid == 0 || process_find(pid);
    spin_unlock(&process_lock);
    return found;
}

static ssize_t sys_getpriority(int which, int who)
{
    if (which < 0 || which > PRIO_USER)
        return -EINVAL;
    return which != 0 || exists(who) ? NICE_RAW : -ESRCH;
}

/* Turns are equal, whatever is asked for. */
static ssize_t sys_setpriority(int which, int who)
{
    ssize_t error = sys_getpriority(which, who);

    return MIN(error, 0);
}

static ssize_t sys_sched_getparam(int pid, uint64_t to)
{
    if (pid < 0 || !to)
        return -EINVAL;
    return exists(pid) ? clear_user(to, sizeof(int)) : -ESRCH;
}

static ssize_t sys_sched_getscheduler(int pid)
{
    if (pid < 0)
        return -EINVAL;
    return exists(pid) ? SCHED_OTHER : -ESRCH;
}

static ssize_t sys_sched_get_priority_limit(int policy)
{
    return policy == SCHED_OTHER ? 0 : -EINVAL;
}

/* Returns the number of bytes that the set has in the kernel. */
static ssize_t sys_sched_getaffinity(int pid, uint32_t size, uint64_t to)
{
    uint64_t set = 1;

    if (size < sizeof(set) || size % sizeof(set))
        return -EINVAL;
    if (!exists(pid))
        return -ESRCH;
    return copy_to_user(to, &set, sizeof(set)) == 0 ? (ssize_t)sizeof(set) : -EFAULT;
}

static ssize_t sys_sched_setaffinity(int pid, uint32_t size, uint64_t from)
{
    uint64_t set = 0;

    if (copy_from_user(&set, from, MIN(size, sizeof(set))) != 0)
        return -EFAULT;
    if (!exists(pid))
        return -ESRCH;
    return set & 1 ? 0 : -EINVAL;
}

static ssize_t sys_getcpu(uint64_t cpu, uint64_t node)
{
    bool given = (!cpu || clear_user(cpu, 4) == 0) && (!node || clear_user(node, 4) == 0);

    return given ? 0 : -EFAULT;
}

static ssize_t set_name(uint64_t from)
{
    char name[sizeof(((struct process *)0)->name)] = {0};

    for (size_t i = 0; i < sizeof(name) - 1; i++) {
        if (copy_from_user(&name[i], from + i, 1) != 0)
            return -EFAULT;
        if (!name[i])
            break;
    }
    spin_lock(&process_lock);
    memcpy(current_process()->name, name, sizeof(name));
    spin_unlock(&process_lock);
    return 0;
}

static ssize_t sys_prctl(int option, uint64_t arg)
{
    switch (option) {
    case PR_SET_NAME:
        return set_name(arg);
    case PR_GET_NAME:
        return copy_to_user(arg, current_process()->name, sizeof(current_process()->name));
    case PR_GET_DUMPABLE:
        return 1;
    case PR_SET_DUMPABLE:
        return arg <= 1 ? 0 : -EINVAL;
    default:
        return -EINVAL;
    }
}

/* Linux on x86-64: nothing else can be chosen. */
static ssize_t sys_personality(uint32_t wanted)
{
    return wanted == 0 || wanted == UINT32_MAX ? 0 : -EINVAL;
}

SYSCALL(135, sys_personality);
SYSCALL(140, sys_getpriority);
SYSCALL(141, sys_setpriority);
SYSCALL(143, sys_sched_getparam);
SYSCALL(145, sys_sched_getscheduler);
SYSCALL_AS(146, sys_sched_get_priority_limit, sched_get_priority_max);
SYSCALL_AS(147, sys_sched_get_priority_limit, sched_get_priority_min);
SYSCALL(157, sys_prctl);
SYSCALL(203, sys_sched_setaffinity);
SYSCALL(204, sys_sched_getaffinity);
SYSCALL(309, sys_getcpu);
