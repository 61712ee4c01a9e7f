/* Whole messages over descriptors that may be non-blocking. */
#include "protocol.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

/* Wait until fd is ready if the last call only failed because it was not. */
static int retry(int fd, short events)
{
    struct pollfd wait = {.fd = fd, .events = events};

    if (errno != EAGAIN && errno != EINTR)
        return -1;
    return poll(&wait, 1, -1) < 0 && errno != EINTR ? -1 : 0;
}

int write_all(int fd, const void *data, size_t size)
{
    const char *next = data;

    while (size > 0) {
        ssize_t n = write(fd, next, size);
        if (n < 0 && retry(fd, POLLOUT) < 0)
            return -1;
        if (n > 0) {
            next += n;
            size -= (size_t)n;
        }
    }
    return 0;
}

int read_all(int fd, void *data, size_t size)
{
    char *next = data;

    while (size > 0) {
        ssize_t n = read(fd, next, size);
        if (n == 0 || (n < 0 && retry(fd, POLLIN) < 0))
            return -1;
        if (n > 0) {
            next += n;
            size -= (size_t)n;
        }
    }
    return 0;
}

int send_message(int fd, enum message_type type, uint64_t value0, uint64_t value1)
{
    struct message message = {.type = type, .value = {value0, value1}};

    return write_all(fd, &message, sizeof(message));
}
