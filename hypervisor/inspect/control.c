/* `--control PATH`: the socket by which others look at the machine (control.h says how). One client at a
 * time, so that what it sees is not changed by another. */
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>
#include "control.h"
#include "private_socket.h"

#define LINE_BYTES 4096 /* of a request, at most */

static struct option options[] = {
    {.name = "control",
     .arg = "PATH",
     .help = "a Unix socket for terrarium inspect PATH: look at the machine while it runs"},
    {0},
};

static int listen_fd = -1; /* while the thread runs nobody changes it */
static pthread_t thread;
static bool running, stopping; /* it is there; it should end */

/* Answer lines until the client goes, writes one that is too long, or a signal comes: the machine ends. */
static void serve(struct vm *vm, FILE *in, FILE *out)
{
    char line[LINE_BYTES] = "", *end; /* it may hold zero bytes */

    while (in && out && fgets(line, sizeof line, in) && (end = memchr(line, '\n', sizeof line))) {
        control_answer(vm, line, (size_t)(end - line), out);
        if (fflush(out) < 0)
            return;
        memset(line, 0, sizeof line);
    }
}

static void *control_thread(void *vm)
{
    while (!__atomic_load_n(&stopping, __ATOMIC_ACQUIRE)) {
        int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
        FILE *in = fdopen(fd, "r"), *out = fdopen(dup(fd), "w");
        serve(vm, in, out);
        if (in)
            fclose(in);
        if (out)
            fclose(out);
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
    fcntl(listen_fd, F_SETFL, 0); /* accept() waits */
    stopping = false;
    int err = pthread_create(&thread, NULL, control_thread, vm);
    running = err == 0;
    return err ? complain(-EAGAIN, "--control: cannot start a thread: %s", strerror(err)) : 0;
}

/* A signal that comes just before the thread waits is lost on it: repeat it. */
static void end_thread(void)
{
    __atomic_store_n(&stopping, true, __ATOMIC_RELEASE);
    do {
        pthread_kill(thread, KICK_SIGNAL);
        usleep(1000);
    } while (pthread_tryjoin_np(thread, NULL) == EBUSY);
    running = false;
}

static void control_ended(struct vm *vm)
{
    (void)vm;
    if (running)
        end_thread();
    if (listen_fd < 0)
        return;
    unlink(options[0].value);
    close(listen_fd);
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
