/* Times that programs pass to system calls. */
#ifndef TIME_CALLS_H
#define TIME_CALLS_H

#include "errno.h"
#include "process.h"

/* Read a struct timespec as nanoseconds. Returns 0, -EFAULT, or -EINVAL if it is negative or has too many
 * nanoseconds. */
int timespec_from_user(uint64_t from, uint64_t *ns);

/*
 * A call that sleeps until a deadline, and that a stop may interrupt: it must not sleep for the whole time
 * again. The deadline, or that of the sleep which starts again.
 */
static inline uint64_t sleep_begin(uint64_t deadline)
{
    struct process *process = current_process();
    uint64_t until = process->sleep_until ? process->sleep_until : deadline;

    process->sleep_until = 0;
    return until;
}

/* A signal has come: what the call returns. */
static inline int sleep_interrupted(uint64_t deadline)
{
    current_process()->sleep_until = deadline;
    return -ERESTARTNOHAND;
}

#endif
