/* Times that programs pass to system calls. */
#ifndef TIME_CALLS_H
#define TIME_CALLS_H

#include "types.h"

/* Read a struct timespec as nanoseconds. Returns 0, -EFAULT, or -EINVAL if it is negative or has too many
 * nanoseconds. */
int timespec_from_user(uint64_t from, uint64_t *ns);

#endif
