/* What the hypervisor needs of the host: error messages, whole writes, a clock. */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include "host.h"

int complain(int err, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fprintf(stderr, "terrarium: %s\n", text);
    return err;
}

int host_write(int fd, const void *data, size_t size, int (*give_up)(void *arg), void *arg)
{
    const char *next = data;

    while (size > 0) {
        ssize_t n = write(fd, next, size);
        if (n >= 0) {
            next += n;
            size -= (size_t)n;
        } else if (errno == EAGAIN) { /* someone else made our stdout non-blocking: wait for room */
            poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
        } else if (errno != EINTR) {
            return -errno;
        }
        if (size > 0 && give_up && give_up(arg))
            return -EINTR;
    }
    return 0;
}

int host_read_at(int fd, void *data, size_t size, uint64_t offset)
{
    char *next = data;

    if (offset > INT64_MAX - size)
        return -EIO;
    while (size > 0) {
        ssize_t n = pread(fd, next, size, (off_t)offset);
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n == 0)
            return -EIO;
        if (n > 0) {
            next += n;
            offset += (uint64_t)n;
            size -= (size_t)n;
        }
    }
    return 0;
}

uint64_t host_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}
