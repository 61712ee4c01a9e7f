/* select and pselect6: poll with sets of bits. */
#include "clock.h"
#include "errno.h"
#include "heap.h"
#include "poll.h"
#include "process.h"
#include "string.h"
#include "syscall.h"
#include "time_calls.h"
#include "user.h"

#define WORDS (FILES_MAX / 64)
#define SETS  3 /* to read, to write, with exceptions */

static const int16_t asked[SETS] = {POLLIN, POLLOUT, POLLPRI};
static const int16_t told[SETS] = {POLLIN | POLLHUP | POLLERR, POLLOUT | POLLERR, POLLPRI};

struct sets {
    uint64_t bits[SETS][WORDS];
    uint64_t user[SETS]; /* where they came from; 0: not given */
    unsigned count;      /* descriptors that are looked at */
};

static bool is_set(const struct sets *sets, int set, unsigned fd)
{
    return sets->bits[set][fd / 64] >> fd % 64 & 1;
}

static int take_sets(struct sets *sets)
{
    size_t bytes = ROUND_UP(sets->count, 64) / 8;

    for (int i = 0; i < SETS; i++)
        if (sets->user[i] && copy_from_user(sets->bits[i], sets->user[i], bytes) != 0)
            return -EFAULT;
    return 0;
}

static int give_sets(const struct sets *sets)
{
    size_t bytes = ROUND_UP(sets->count, 64) / 8;

    for (int i = 0; i < SETS; i++)
        if (sets->user[i] && copy_to_user(sets->user[i], sets->bits[i], bytes) != 0)
            return -EFAULT;
    return 0;
}

/* What the sets ask, as poll wants it. Returns the number of descriptors. */
static size_t questions(const struct sets *sets, struct pollfd *fds)
{
    size_t count = 0;

    for (unsigned fd = 0; fd < sets->count; fd++) {
        int16_t events = 0;
        for (int i = 0; i < SETS; i++)
            events |= is_set(sets, i, fd) ? asked[i] : 0;
        if (events)
            fds[count++] = (struct pollfd){fd, events, 0};
    }
    return count;
}

/* Put poll's answers into the sets. Returns the number of bits, or -EBADF. */
static ssize_t answers(struct sets *sets, const struct pollfd *fds, size_t count)
{
    struct sets asked_for = *sets;
    ssize_t ready = 0;

    memset(sets->bits, 0, sizeof(sets->bits));
    for (size_t n = 0; n < count; n++) {
        unsigned fd = fds[n].fd;
        if (fds[n].revents & POLLNVAL)
            return -EBADF;
        for (int i = 0; i < SETS; i++) {
            if (!is_set(&asked_for, i, fd) || !(fds[n].revents & told[i]))
                continue;
            sets->bits[i][fd / 64] |= 1ul << fd % 64;
            ready++;
        }
    }
    return ready;
}

static ssize_t do_select(struct sets *sets, uint64_t deadline)
{
    struct pollfd *fds = kmalloc(FILES_MAX * sizeof(*fds));

    if (!fds)
        return -ENOMEM;
    ssize_t result = take_sets(sets);
    size_t count = questions(sets, fds);
    if (result == 0)
        result = poll_files(fds, count, deadline);
    if (result >= 0)
        result = answers(sets, fds, count);
    if (result >= 0 && give_sets(sets) != 0)
        result = -EFAULT;
    kfree(fds);
    return result;
}

/* Descriptors beyond the table's end cannot be open: Linux looks only at those that there can be. */
static struct sets sets_of(int count, uint64_t in, uint64_t out, uint64_t except)
{
    return (struct sets){.user = {in, out, except}, .count = MIN(count, FILES_MAX)};
}

static ssize_t sys_select(int count, uint64_t in, uint64_t out, uint64_t except, uint64_t user_timeout)
{
    struct sets sets = sets_of(count, in, out, except);
    struct timeval timeout = {0, 0};
    uint64_t deadline = NEVER;

    if (count < 0)
        return -EINVAL;
    if (user_timeout && copy_from_user(&timeout, user_timeout, sizeof(timeout)) != 0)
        return -EFAULT;
    if (timeout.sec < 0 || timeout.usec < 0)
        return -EINVAL;
    if (user_timeout)
        deadline = clock_ns() + MIN((uint64_t)timeout.sec, UINT32_MAX) * NS_PER_SECOND +
                   MIN((uint64_t)timeout.usec, UINT32_MAX) * 1000;
    ssize_t result = do_select(&sets, deadline);
    if (user_timeout) { /* Linux tells what was left */
        uint64_t now = clock_ns(), left = deadline > now ? deadline - now : 0;
        timeout = (struct timeval){left / NS_PER_SECOND, left % NS_PER_SECOND / 1000};
        copy_to_user(user_timeout, &timeout,
                     sizeof(timeout)); /* if it cannot, Linux does not say so either */
    }
    return result;
}

static ssize_t sys_pselect6(int count, uint64_t in, uint64_t out, uint64_t except, uint64_t user_timeout,
                            uint64_t user_mask)
{
    struct sets sets = sets_of(count, in, out, except);
    uint64_t timeout = 0, mask[2] = {0, 0}; /* its address and size */

    if (count < 0)
        return -EINVAL;
    if (user_mask && copy_from_user(mask, user_mask, sizeof(mask)) != 0)
        return -EFAULT;
    int error = user_timeout ? timespec_from_user(user_timeout, &timeout) : 0;
    if (error == 0)
        error = poll_block_signals(mask[0], mask[1]);
    return error ? error : do_select(&sets, user_timeout ? clock_ns() + timeout : NEVER);
}

SYSCALL(23, sys_select);
SYSCALL(270, sys_pselect6);
