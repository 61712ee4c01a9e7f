/* The types and small macros that every file of Moss uses. */
#ifndef TYPES_H
#define TYPES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int64_t ssize_t;

#define ARRAY_SIZE(a)            (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)                ((a) < (b) ? (a) : (b)) /* evaluates one of them twice */
#define MAX(a, b)                ((a) > (b) ? (a) : (b))
#define ROUND_UP(n, to)          (((n) + (to)-1) / (to) * (to))
#define ROUND_DOWN(n, to)        ((n) / (to) * (to))
#define container_of(p, type, m) ((type *)((char *)(p)-offsetof(type, m)))
#define PRINTF(text, arguments)  __attribute__((__format__(__printf__, text, arguments)))

/* The ones in a byte; compilers call a library for this. */
static inline unsigned count_ones(uint8_t byte)
{
    unsigned count = 0;

    for (; byte; byte &= byte - 1)
        count++;
    return count;
}

#endif
