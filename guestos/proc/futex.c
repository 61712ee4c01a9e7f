/* futex: waiting for a word of memory to change, the base of C libraries' locks (futex(2)). */
#include "clock.h"
#include "errno.h"
#include "process.h"
#include "syscall.h"
#include "time_calls.h"
#include "user.h"

#define FUTEX_WAIT     0
#define FUTEX_WAKE     1
#define FUTEX_COMMANDS 0x7f /* the other bits: private to the process, which clock */

static struct wait_queue waiters = WAIT_QUEUE_INIT(waiters);

/*
 * Wakers do not say whom they wake: all waiters look at their words again. A program must expect to be woken
 * without a reason (futex(2)), so that is allowed; it is slow only when many wait.
 */
static ssize_t futex_wait(uint64_t address, uint32_t expected, uint64_t deadline)
{
    uint32_t value;
    int error = copy_from_user(&value, address, sizeof(value));

    if (error)
        return error;
    if (value != expected)
        return -EAGAIN;
    error = wait_until(&waiters, copy_from_user(&value, address, sizeof(value)) != 0 || value != expected,
                       deadline, true);
    return error == -EINTR ? -ERESTARTSYS : error;
}

static ssize_t sys_futex(uint64_t address, uint32_t operation, uint32_t value, uint64_t timeout)
{
    uint64_t ns = 0;

    if (address % sizeof(uint32_t))
        return -EINVAL;
    if ((operation & FUTEX_COMMANDS) == FUTEX_WAKE) {
        wake_all(&waiters);
        return 0;
    }
    if ((operation & FUTEX_COMMANDS) != FUTEX_WAIT)
        return -ENOSYS;
    int error = timeout ? timespec_from_user(timeout, &ns) : 0;
    return error ? error : futex_wait(address, value, timeout ? clock_ns() + ns : NEVER);
}

SYSCALL(202, sys_futex);
