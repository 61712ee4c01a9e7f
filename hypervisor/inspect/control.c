/* `--control PATH`: the socket by which others look at the machine (control.h says how). One client at a
 * time, so that what it sees is not changed by another. */
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "control.h"

#define LINE_MAX_BYTES 4096

static struct option options[] = {
    {.name = "control",
     .arg = "PATH",
     .help = "a Unix socket for terrarium inspect PATH: look at the machine while it runs"},
    {0},
};

static int listen_fd = -1, stop_fd = -1;
static pthread_t thread;
static struct sockaddr_un address;

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

/* A socket that nobody listens to any more is left over from a machine that was killed. */
static void remove_left_over(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct stat st;

    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0 && errno == ECONNREFUSED &&
        lstat(address.sun_path, &st) == 0 && S_ISSOCK(st.st_mode))
        unlink(address.sun_path);
    close(fd);
}

static int control_listen(const char *path)
{
    address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return complain(-EINVAL, "--control %s: a socket's path has at most %zu bytes", path,
                        sizeof address.sun_path - 1);
    strcpy(address.sun_path, path);
    remove_left_over();
    listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t mask = umask(0177); /* for its owner only, from its first moment on */
    int err = bind(listen_fd, (struct sockaddr *)&address, sizeof address);
    umask(mask);
    if (err == 0 && listen(listen_fd, 4) == 0)
        return 0;
    complain(0, "--control %s: %s%s", path, strerror(errno),
             errno == EADDRINUSE ? "" : "; not every file system takes sockets: try /run or /dev/shm");
    if (err == 0)
        unlink(path);
    close(listen_fd);
    listen_fd = -1;
    return -EIO;
}

static int control_boot(struct vm *vm)
{
    if (!options[0].value)
        return 0;
    int err = control_listen(options[0].value);
    if (err < 0)
        return err;
    stop_fd = eventfd(0, EFD_CLOEXEC);
    err = pthread_create(&thread, NULL, control_thread, vm);
    if (err == 0)
        return 0;
    unlink(address.sun_path);
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
    unlink(address.sun_path);
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
