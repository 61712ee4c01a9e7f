/* Time. */
#ifndef CLOCK_H
#define CLOCK_H

#include "types.h"

#define NS_PER_SECOND    1000000000ul
#define TICKS_PER_SECOND 100

/* Nanoseconds since the machine started, never going backwards on one CPU. */
uint64_t clock_ns(void);

/* Nanoseconds since 1970. */
uint64_t clock_wall_ns(void);

/* Set the time of day. */
void clock_set_wall(uint64_t ns);

#endif
