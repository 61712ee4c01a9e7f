/* For the tests of Moss's kernel on the host: memory for its allocators, its locks, and panics that can be
 * expected. */
#ifndef MOSS_HOST_H
#define MOSS_HOST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* Put memory of the host behind the physical addresses [0, size). */
void moss_ram(uint64_t size);

/* Spinlocks that are held now: none, when a function of the kernel has returned. */
unsigned moss_locks_held(void);

/* Called once, just before the next spinlock is taken: an interrupt. */
extern void (*moss_before_lock)(void);

/*
 * The statement must end in a panic whose message contains `part`. Locks that it leaves held are released.
 * Any other panic fails the test.
 */
#define expect_panic(part, statement)                                                                        \
    do {                                                                                                     \
        moss_panic_part = (part);                                                                            \
        if (setjmp(moss_panic_catcher) == 0) {                                                               \
            statement;                                                                                       \
            fail_msg("no panic about \"%s\"", moss_panic_part);                                              \
        }                                                                                                    \
    } while (0)

extern jmp_buf moss_panic_catcher;
extern const char *moss_panic_part;

/* A random number, in the same order on every run. */
uint32_t moss_random(void);

#endif
