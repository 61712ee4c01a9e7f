/* What the hypervisor needs of the host: error messages, whole writes, a clock. */
#ifndef HOST_H
#define HOST_H

#include <stddef.h>
#include <stdint.h>

/* Print "terrarium: message" to stderr and return `err`, so that `return complain(-EINVAL, ...)` explains
 * itself.
 */
int complain(int err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Write all `size` bytes, however short the single writes are. Waits while `fd` is full. A signal is no
 * error, but after one `give_up(arg)` is asked, where given. Returns 0, or -errno (-EINTR when told to give
 * up).
 */
int host_write(int fd, const void *data, size_t size, int (*give_up)(void *arg), void *arg);

/* Read exactly `size` bytes at `offset`. Returns 0, -EIO if the file is shorter, or -errno. */
int host_read_at(int fd, void *data, size_t size, uint64_t offset);

/* Nanoseconds of the monotonic clock. */
uint64_t host_now(void);

#endif
