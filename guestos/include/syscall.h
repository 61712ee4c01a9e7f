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

/* The call with this number, or NULL. */
const struct syscall *syscall_find(uint64_t number);

#endif
