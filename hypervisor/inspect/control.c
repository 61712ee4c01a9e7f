/* `--control PATH`: the socket by which others look at the machine (control.h says how). One client at a
 * time, so that what it sees is not changed by another. */
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include "control.h"
#include "private_socket.h"

#define LINE_MAX_BYTES 4096

static struct option options[] = {
    {.name = "control",
     .arg = "PATH",
     .help = "a Unix socket for terrarium inspect PATH: look at the machine while it runs"},
    {0},
};

static int listen_fd = -1, stop_fd = -1;
static pthread_t thread;

/* Wait for `fd`. Returns false when the machine ends. */
static bool wait_for(int fd, short events)
{
    struct pollfd fds[] = {{fd, events, 0}, {stop_fd, POLLIN, 0}};

    while (poll(fds, 2, -1) < 0 && errno == EINTR)
        ;
    return !fds[1].revents;
}

/* Returns whether all of it could be sent. */
static bool send_all(int fd, const char *data, size_t size)
{
    while (size > 0 && wait_for(fd, POLLOUT)) {
        ssize_t n = send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return false;
        data += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
    return size == 0;
}

static bool answer(struct vm *vm, int fd, const char *line, size_t size)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    if (!out)
        return false;
    control_answer(vm, line, size, out);
    fclose(out);
    bool sent = text && send_all(fd, text, length);
    free(text);
    return sent;
}

/* Answer a client's lines until it goes, writes a line that is too long, or the machine ends. */
static void serve(struct vm *vm, int fd)
{
    char buffer[LINE_MAX_BYTES];
    size_t used = 0;

    while (used < sizeof buffer && wait_for(fd, POLLIN)) {
        ssize_t n = recv(fd, buffer + used, sizeof buffer - used, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            return;
        used += n > 0 ? (size_t)n : 0;
        for (char *end; (end = memchr(buffer, '\n', used));) {
            size_t size = (size_t)(end + 1 - buffer);
            if (!answer(vm, fd, buffer, size))
                return;
            memmove(buffer, end + 1, used -= size);
        }
    }
}

static void *control_thread(void *vm)
{
    while (wait_for(listen_fd, POLLIN)) {
        int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            continue;
        serve(vm, fd);
        close(fd);
    }
    return NULL;
}

static int control_boot(struct vm *vm)
{
    if (!options[0].value)
        return 0;
    listen_fd = private_listen("--control ", options[0].value);
    if (listen_fd < 0)
        return listen_fd;
    stop_fd = eventfd(0, EFD_CLOEXEC);
    int err = pthread_create(&thread, NULL, control_thread, vm);
    if (err == 0)
        return 0;
    unlink(options[0].value);
    close(listen_fd);
    listen_fd = -1;
    return complain(-EAGAIN, "--control: cannot start a thread: %s", strerror(err));
}

static void control_ended(struct vm *vm)
{
    (void)vm;
    if (listen_fd < 0)
        return;
    eventfd_write(stop_fd, 1);
    pthread_join(thread, NULL);
    unlink(options[0].value);
    close(listen_fd);
    close(stop_fd);
    listen_fd = -1;
}

FEATURE(control) = {
    .name = "control",
    .lab = 10,
    .help = "a socket by which a running machine is looked at",
    .options = options,
    .boot = control_boot,
    .ended = control_ended,
};
