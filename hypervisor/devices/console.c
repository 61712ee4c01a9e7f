/* The host's side of the console: reads stdin on a thread, and keeps the terminal raw for the guest and whole
 * for the user. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>
#include "../feature.h"
#include "console.h"

#define ESCAPE        1 /* Ctrl-A */
#define TELL_NS       100000000l
#define NS_PER_SECOND 1000000000l

/* What was typed and not yet taken: items[taken..count). A process has one stdin, so it has one queue, which
 * outlives a reset: nothing typed ahead is lost. The lock is taken last and held briefly: vm->lock may be
 * held by a write that nobody reads, and Ctrl-A x must work then too. */
static struct {
    pthread_mutex_t lock;
    uint16_t items[4096];
    unsigned taken, count;
    bool ended;  /* the end of input was told */
    int wake_fd; /* an eventfd: the queue that was full is empty, or `stop` is set */
    bool stop;
} queue = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int resize_fd = -1; /* a signalfd: the terminal has another size */

static struct termios saved, raw;
static volatile sig_atomic_t is_raw;
static bool is_tty, is_running;
static pthread_t thread;

static void console_ready(struct vm *vm)
{
    struct console_user *last = &vm->consoles[vm->console_count - 1];

    if (vm->console_count > 0)
        last->ready(vm, last->dev);
}

void console_offer(struct vm *vm, void (*ready)(struct vm *vm, void *dev), void *dev)
{
    if (vm->console_count < COUNT(vm->consoles))
        vm->consoles[vm->console_count++] = (struct console_user){ready, dev};
}

void console_withdraw(struct vm *vm, void *dev)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < vm->console_count; i++)
        if (vm->consoles[i].dev != dev)
            vm->consoles[kept++] = vm->consoles[i];
    vm->console_count = kept;
    console_ready(vm);
}

bool console_waiting(struct vm *vm, void *dev)
{
    bool is_console = vm->console_count > 0 && vm->consoles[vm->console_count - 1].dev == dev;

    pthread_mutex_lock(&queue.lock);
    bool waiting = vm->host_io && is_console && queue.taken < queue.count;
    pthread_mutex_unlock(&queue.lock);
    return waiting;
}

void console_size(uint16_t *columns, uint16_t *rows)
{
    struct winsize size = {0};
    bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0;

    *columns = known ? size.ws_col : 80;
    *rows = known ? size.ws_row : 25;
}

int console_next(struct vm *vm, void *dev)
{
    if (!console_waiting(vm, dev))
        return CONSOLE_EMPTY;
    pthread_mutex_lock(&queue.lock);
    int item = queue.items[queue.taken++];
    if (queue.taken == queue.count) {
        if (queue.count == COUNT(queue.items))
            eventfd_write(queue.wake_fd, 1);
        queue.taken = queue.count = 0;
    }
    pthread_mutex_unlock(&queue.lock);
    return item;
}

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

/* Stopped from outside, leave a usable terminal meanwhile. */
static void stopped(int signal_number)
{
    (void)signal_number;
    if (is_raw)
        tcsetattr(STDIN_FILENO, TCSANOW, &saved);
    raise(SIGSTOP);
}

static void continued(int signal_number)
{
    (void)signal_number;
    if (is_raw)
        tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

static void on_signal(int signal_number, void (*handler)(int), int flags)
{
    sigaction(signal_number, &(struct sigaction){.sa_handler = handler, .sa_flags = flags}, NULL);
}

/* Every key reaches the guest as bytes, ^C as 3. Output is left alone, so that our own messages keep their
 * shape. */
static void terminal_make_raw(void)
{
    static const int crashes[] = {SIGSEGV, SIGBUS,  SIGILL,  SIGFPE,    SIGABRT, SIGTRAP, SIGSYS, SIGUSR2,
                                  SIGALRM, SIGXCPU, SIGXFSZ, SIGVTALRM, SIGPROF, SIGPOLL, SIGPWR};

    if (tcgetattr(STDIN_FILENO, &saved) < 0)
        return;
    for (size_t i = 0; i < COUNT(crashes); i++)
        on_signal(crashes[i], crashed, (int)SA_RESETHAND);
    on_signal(SIGTSTP, stopped, SA_RESTART);
    on_signal(SIGCONT, continued, SA_RESTART);
    raw = saved;
    cfmakeraw(&raw);
    raw.c_oflag = saved.c_oflag;
    is_raw = 1;
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

static void put(int item)
{
    pthread_mutex_lock(&queue.lock);
    queue.items[queue.count++] = (uint16_t)item;
    pthread_mutex_unlock(&queue.lock);
}

static void terminal_escape(struct vm *vm, uint8_t key)
{
    if (key == 'x')
        vm_stop(vm, 0);
    else if (key == 'b')
        put(CONSOLE_BREAK);
    else if (key == 'a' || key == ESCAPE)
        put(ESCAPE);
    else
        fprintf(stderr, "\nCtrl-A x  leave Terrarium\nCtrl-A h  this help\nCtrl-A b  send a break\n"
                        "Ctrl-A a  send Ctrl-A itself (also Ctrl-A twice)\n");
}

/* Queue what was read; no bytes are the end of the input. */
static void console_typed(struct vm *vm, const uint8_t *bytes, size_t count)
{
    static bool escaped;

    for (size_t i = 0; i < count; i++) {
        bool escape = is_tty && !escaped && bytes[i] == ESCAPE;
        if (escaped)
            terminal_escape(vm, bytes[i]);
        else if (!escape)
            put(bytes[i]);
        escaped = escape;
    }
    if (count == 0) {
        put(CONSOLE_BREAK);
        queue.ended = true;
    }
}

/* How many items fit, or 0 after the end of the input. */
static size_t console_room(void)
{
    pthread_mutex_lock(&queue.lock);
    size_t room = queue.ended ? 0 : COUNT(queue.items) - queue.count;
    pthread_mutex_unlock(&queue.lock);
    return room;
}

/* Let the console see what is new. Returns false if vm->lock could not be had for a while. */
static bool console_tell(struct vm *vm)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (until.tv_nsec += TELL_NS) / NS_PER_SECOND;
    until.tv_nsec %= NS_PER_SECOND;
    if (pthread_mutex_clocklock(&vm->lock, CLOCK_MONOTONIC, &until) != 0)
        return false;
    console_ready(vm);
    pthread_mutex_unlock(&vm->lock);
    return true;
}

static void *console_thread(void *arg)
{
    struct vm *vm = arg;
    struct signalfd_siginfo info;
    uint8_t bytes[512];
    eventfd_t ignored;
    bool told = true;

    while (!__atomic_load_n(&queue.stop, __ATOMIC_SEQ_CST)) {
        size_t room = console_room();
        struct pollfd fds[] = {
            {room > 0 ? STDIN_FILENO : -1, POLLIN, 0}, {queue.wake_fd, POLLIN, 0}, {resize_fd, POLLIN, 0}};
        poll(fds, 3, told ? -1 : 0);
        if (fds[1].revents)
            eventfd_read(queue.wake_fd, &ignored);
        if (fds[2].revents && read(resize_fd, &info, sizeof info) > 0)
            told = false;
        ssize_t n =
            fds[0].revents ? read(STDIN_FILENO, bytes, room < sizeof bytes ? room : sizeof bytes) : -1;
        if (n >= 0 || (fds[0].revents && errno != EINTR && errno != EAGAIN)) {
            console_typed(vm, bytes, n > 0 ? (size_t)n : 0);
            told = false;
        }
        told = told || console_tell(vm);
    }
    return NULL;
}

static int console_attach(struct vm *vm)
{
    if (!vm->host_io)
        return 0;
    is_tty = isatty(STDIN_FILENO);
    /* The guest's shell asks nobody to log in and edits no lines when its input is a file or a pipe. */
    return is_tty ? 0 : vm_append_cmdline(vm, "notty");
}

/* Before any thread starts: a signal that some thread does not block never comes by a signalfd. */
static void watch_size(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGWINCH);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (resize_fd < 0)
        resize_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int console_boot(struct vm *vm)
{
    if (!vm->host_io)
        return 0;
    watch_size();
    if (queue.ended && queue.taken == queue.count)
        put(CONSOLE_BREAK); /* the machine before a reset took it; this one has not heard of the end yet */
    queue.stop = false;
    queue.wake_fd = eventfd(0, EFD_CLOEXEC);
    int err = pthread_create(&thread, NULL, console_thread, vm);
    is_running = err == 0;
    if (is_tty && is_running)
        terminal_make_raw();
    return err ? complain(-EAGAIN, "cannot start a thread for stdin: %s", strerror(err)) : 0;
}

static void console_ended(struct vm *vm)
{
    if (!vm->host_io || !is_running)
        return;
    __atomic_store_n(&queue.stop, true, __ATOMIC_SEQ_CST);
    eventfd_write(queue.wake_fd, 1);
    pthread_join(thread, NULL);
    close(queue.wake_fd);
    is_running = false;
    terminal_restore();
}

FEATURE(console) = {
    .name = "terminal",
    .lab = 3,
    .help = "stdin and stdout as the console; Ctrl-A x leaves, Ctrl-A h helps",
    .attach = console_attach,
    .boot = console_boot,
    .ended = console_ended,
};
