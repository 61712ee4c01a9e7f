/* poll: waiting for any of several files. */
#include "clock.h"
#include "errno.h"
#include "heap.h"
#include "poll.h"
#include "process.h"
#include "syscall.h"
#include "time_calls.h"
#include "user.h"
#include "vfs.h"

#define ALWAYS_TOLD (POLLERR | POLLHUP | POLLNVAL)

static int16_t poll_one(const struct pollfd *p)
{
    if (p->fd < 0)
        return 0;
    struct file *file = fd_file(p->fd);
    if (!file)
        return POLLNVAL;
    int events = file->vnode->ops->poll ? file->vnode->ops->poll(file) : POLLIN | POLLOUT;
    file_put(file);
    return events & (p->events | ALWAYS_TOLD);
}

/* Look at all files. Returns how many have something to tell. */
static ssize_t poll_all(struct pollfd *fds, size_t count)
{
    ssize_t ready = 0;

    for (size_t i = 0; i < count; i++) {
        fds[i].revents = poll_one(&fds[i]);
        ready += fds[i].revents != 0;
    }
    return ready;
}

ssize_t poll_files(struct pollfd *fds, size_t count, uint64_t deadline)
{
    ssize_t ready = 0;
    uint64_t until = sleep_begin(deadline);
    int error = wait_until(&poll_queue, (ready = poll_all(fds, count)) > 0, until, true);

    return error == -EINTR ? sleep_interrupted(until) : ready;
}

static ssize_t do_poll(uint64_t user_fds, size_t count, uint64_t deadline)
{
    if (count > FILES_MAX)
        return -EINVAL;
    struct pollfd *fds = kmalloc(count * sizeof(*fds) + 1);
    if (!fds)
        return -ENOMEM;
    ssize_t result = copy_from_user(fds, user_fds, count * sizeof(*fds));
    if (result == 0)
        result = poll_files(fds, count, deadline);
    if (result >= 0 && copy_to_user(user_fds, fds, count * sizeof(*fds)) != 0)
        result = -EFAULT;
    kfree(fds);
    return result;
}

static ssize_t sys_poll(uint64_t fds, size_t count, int milliseconds)
{
    return do_poll(fds, count, milliseconds < 0 ? NEVER : clock_ns() + milliseconds * 1000000ul);
}

int poll_block_signals(uint64_t user_mask, size_t set_size)
{
    struct process *process = current_process();
    uint64_t mask;

    if (!user_mask)
        return 0;
    if (set_size != sizeof(mask))
        return -EINVAL;
    if (copy_from_user(&mask, user_mask, sizeof(mask)) != 0)
        return -EFAULT;
    process->signals.saved_blocked = process->signals.blocked;
    process->signals.restore_blocked = true; /* on the way back to the program */
    signal_set_blocked(process, mask);
    return 0;
}

static ssize_t sys_ppoll(uint64_t fds, size_t count, uint64_t user_timeout, uint64_t user_mask,
                         size_t set_size)
{
    uint64_t timeout = 0;

    int error = user_timeout ? timespec_from_user(user_timeout, &timeout) : 0;
    if (error == 0)
        error = poll_block_signals(user_mask, set_size);
    if (error)
        return error;
    return do_poll(fds, count, user_timeout ? clock_ns() + timeout : NEVER);
}

SYSCALL(7, sys_poll);
SYSCALL(271, sys_ppoll);
