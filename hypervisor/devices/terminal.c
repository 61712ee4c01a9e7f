/* The host's side of the console: reads stdin on a thread, and keeps the terminal raw for the guest and whole
 * for the user. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <termios.h>
#include <unistd.h>
#include "../feature.h"
#include "console.h"

#define ESCAPE 1 /* Ctrl-A */

static struct termios saved;
static volatile sig_atomic_t is_raw;
static bool is_tty, is_running;
static pthread_t thread;
static int stop_fd;

static void terminal_restore(void)
{
    if (is_raw)
        tcsetattr(STDIN_FILENO, TCSANOW, &saved); /* safe in a signal handler */
    is_raw = 0;
}

static void crashed(int signal_number)
{
    terminal_restore();
    raise(signal_number); /* SA_RESETHAND: this time it kills, with a core dump if those are wanted */
}

/* Every key reaches the guest as bytes, ^C as 3. Output is left alone, so that our own messages keep their
 * shape. */
static void terminal_make_raw(void)
{
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
    struct sigaction action = {.sa_handler = crashed, .sa_flags = (int)SA_RESETHAND};
    struct termios raw;

    if (tcgetattr(STDIN_FILENO, &saved) < 0)
        return;
    for (size_t i = 0; i < sizeof crashes / sizeof crashes[0]; i++)
        sigaction(crashes[i], &action, NULL);
    raw = saved;
    cfmakeraw(&raw);
    raw.c_oflag = saved.c_oflag;
    is_raw = 1;
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

static void terminal_escape(struct vm *vm, char key)
{
    switch (key) {
    case 'x':
        vm_stop(vm, 0);
        break;
    case 'b':
        console_put(CONSOLE_BREAK);
        break;
    case 'a':
    case ESCAPE:
        console_put(ESCAPE);
        break;
    default:
        fprintf(stderr, "\nCtrl-A x  leave Terrarium\nCtrl-A h  this help\nCtrl-A b  send a break\n"
                        "Ctrl-A a  send Ctrl-A itself (also Ctrl-A twice)\n");
    }
}

static void terminal_typed(struct vm *vm, const uint8_t *bytes, size_t count)
{
    static bool escaped;

    for (size_t i = 0; i < count; i++) {
        if (escaped)
            terminal_escape(vm, (char)bytes[i]);
        else if (!is_tty || bytes[i] != ESCAPE)
            console_put(bytes[i]);
        escaped = is_tty && !escaped && bytes[i] == ESCAPE;
    }
    console_wake(vm);
}

/* Read what is there, never more than the queue has room for. Returns false at the end of the input. */
static bool terminal_read(struct vm *vm)
{
    uint8_t bytes[512];
    unsigned room = console_room();

    ssize_t n = read(STDIN_FILENO, bytes, room < sizeof bytes ? room : sizeof bytes);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return true;
    if (n > 0) {
        terminal_typed(vm, bytes, (size_t)n);
        return true;
    }
    console_put(CONSOLE_BREAK);
    console_wake(vm);
    return false;
}

static void *terminal_thread(void *arg)
{
    static bool ended; /* kept over a reset: the end of input is told once */
    struct vm *vm = arg;
    eventfd_t ignored;

    for (;;) {
        int input = !ended && console_room() > 0 ? STDIN_FILENO : -1;
        struct pollfd fds[] = {{input, POLLIN, 0}, {stop_fd, POLLIN, 0}, {console_room_fd(), POLLIN, 0}};
        poll(fds, 3, -1);
        if (fds[1].revents)
            return NULL;
        if (fds[2].revents)
            eventfd_read(fds[2].fd, &ignored);
        if (fds[0].revents)
            ended = !terminal_read(vm);
    }
}

static int terminal_attach(struct vm *vm)
{
    if (!vm->host_io)
        return 0;
    is_tty = isatty(STDIN_FILENO);
    /* The guest's shell asks nobody to log in and edits no lines when its input is a file or a pipe. */
    return is_tty ? 0 : vm_append_cmdline(vm, "notty");
}

static int terminal_boot(struct vm *vm)
{
    static bool registered;
    pthread_attr_t attr;

    if (!vm->host_io)
        return 0;
    if (!registered)
        atexit(terminal_restore);
    registered = true;
    if (is_tty)
        terminal_make_raw();
    stop_fd = eventfd(0, EFD_CLOEXEC);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 64 * KiB);
    int err = pthread_create(&thread, &attr, terminal_thread, vm);
    pthread_attr_destroy(&attr);
    is_running = err == 0;
    return err ? complain(-err, "cannot start a thread for stdin: %s", strerror(err)) : 0;
}

static void terminal_detach(struct vm *vm)
{
    if (!vm->host_io)
        return;
    if (is_running) {
        eventfd_write(stop_fd, 1);
        pthread_join(thread, NULL);
        close(stop_fd);
        is_running = false;
    }
    terminal_restore();
}

FEATURE(terminal) = {
    .name = "terminal",
    .lab = 3,
    .help = "stdin and stdout as the console; Ctrl-A x leaves, Ctrl-A h helps",
    .attach = terminal_attach,
    .boot = terminal_boot,
    .detach = terminal_detach,
};
