/* For the unit tests of lab 9: an io_uring without a kernel. What was submitted waits until the test says how
 * it ends. */
#ifndef URING_HOST_H
#define URING_HOST_H

#include <liburing.h>

#define URING_MAX 128

/* Submitted and not ended, in that order. */
extern struct io_uring_sqe uring_waiting[URING_MAX];
extern unsigned uring_waiting_count;
extern unsigned uring_most;        /* bytes that one of them moves; 0: all */
extern unsigned uring_carried_out; /* by uring_end_well(), since uring_new() */

void uring_new(void);

/* Carry out uring_waiting[n], as the kernel does, and let it end with what that gave. */
void uring_end_well(unsigned n);

/* Let it end with `result`, a number of bytes or -errno, without doing anything. */
void uring_end(unsigned n, int result);

#endif
