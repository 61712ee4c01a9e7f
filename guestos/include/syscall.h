/* System calls: each is registered beside the function that does it. */
#ifndef SYSCALL_H
#define SYSCALL_H

#include "types.h"

struct syscall {
    unsigned number;
    ssize_t (*call)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);
};

/*
 * Make fn, named sys_NAME, the system call with Linux's number for NAME. It takes up to six integer arguments
 * of any width (the calling convention passes each in a register of its own) and returns a result or a
 * negative errno.
 */
#define SYSCALL(number, fn) SYSCALL_AS(number, fn, fn)

/* The same for a function that serves several calls: `id` tells them apart. */
#define SYSCALL_AS(number, fn, id)                                                                           \
    static const struct syscall syscall_##id                                                                 \
        __attribute__((used, section("syscalls"), aligned(8))) = {number, (void *)fn}

/*
 * Somebody who wants to see what a process does. Asked only about processes whose `watched` is set, which is
 * the watcher's to use, but for born(). All are called in the context of the process that acts, where it may
 * sleep.
 */
struct process;
struct trapframe;
struct signal_cause;
struct syscall_watcher {
    void (*before)(struct process *process, const struct trapframe *frame);
    void (*after)(struct process *process, const struct trapframe *frame);
    void (*signal)(struct process *process, int signal,
                   const struct signal_cause *cause);            /* it is delivered */
    void (*born)(struct process *child, struct process *parent); /* parent is NULL for the first process */
    void (*died)(struct process *process, int wait_status);
};

extern const struct syscall_watcher *syscall_watcher; /* NULL: nobody watches */

/* The call with this number, or NULL. */
const struct syscall *syscall_find(uint64_t number);

#endif
