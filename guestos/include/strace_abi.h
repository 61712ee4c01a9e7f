/* /dev/strace, between the kernel and the program strace. A reader includes <stdint.h> or its like first. */
#ifndef STRACE_ABI_H
#define STRACE_ABI_H

/*
 * Each open() is a session of its own. Reading gives the text about its processes; nothing is left out,
 * because a process waits if nobody reads. The end comes when all processes of the session have ended.
 *
 * It takes ioctl() with
 * - STRACE_ME: from now on the caller, and whom it forks, belong to this session;
 * - STRACE_ONLY, a struct strace_set: the calls to show (STRACE_COUNT counts all the same);
 * - STRACE_COUNT, a struct strace_count, its number given; -EINVAL: there is no such number.
 */
#define STRACE_ME    0x5400
#define STRACE_ONLY  0x5401
#define STRACE_COUNT 0x5402

#define STRACE_CALLS 512

struct strace_set {
    uint64_t bits[STRACE_CALLS / 64];
};

struct strace_count {
    uint32_t number, missing; /* missing: Moss does not have this call */
    char name[32];
    uint64_t calls, errors, ns;
};

#endif
