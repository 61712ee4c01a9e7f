/* Connects this process's streams, signals and exit status with the command inside the fallback machine. */
#include "machine.h"
#include "protocol.h"
#include "pump.h"
#include "request.h"
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

/* A machine that has not taken a signal after this many seconds never will. */
#define SIGNAL_SECONDS 30

/* The same for its boot, which takes about 4; three times TIMEOUT_SCALE if that is more. The second and last
 * try gets longer. */
#define BOOT_SECONDS      30
#define LAST_BOOT_SECONDS 120

/*
 * QEMU's emulation of AMD-V changes a CPU's word of pending interrupts without the lock that devices take for
 * it (seen in 7.2: target/i386/tcg/sysemu/svm_helper.c), so an interrupt that comes at a VM exit can be lost.
 * If it was the timer's, and nothing else happens, the machine sleeps for ever. The next interrupt of any
 * device has QEMU look again: so there is one at least this often.
 */
#define NUDGE_MILLISECONDS 200

/* A pipe or terminal that poll() calls writable takes this much without blocking. */
#define SAFE_WRITE 4096

enum { PUMP_STDIN, PUMP_STDOUT, PUMP_STDERR, PUMP_TERMINAL_IN, PUMP_TERMINAL_OUT, PUMP_COUNT };

static int ports[PORT_COUNT];
static struct pump pumps[PUMP_COUNT];
static bool running, exited, silent;
static time_t deadline; /* when to give the machine up, as seconds of the monotonic clock; 0: never */
static int exit_status = MACHINE_FAILED;

static time_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec;
}

static void start_pumps(void)
{
    bool keys = isatty(STDIN_FILENO);
    int screen = terminal_output();

    pump_init(&pumps[PUMP_STDIN], keys ? -1 : STDIN_FILENO, ports[PORT_STDIN], SIZE_MAX);
    pump_init(&pumps[PUMP_STDOUT], ports[PORT_STDOUT], STDOUT_FILENO, SAFE_WRITE);
    pump_init(&pumps[PUMP_STDERR], ports[PORT_STDERR], STDERR_FILENO, SAFE_WRITE);
    pump_init(&pumps[PUMP_TERMINAL_IN], keys ? STDIN_FILENO : -1, ports[PORT_TERMINAL], SIZE_MAX);
    pump_init(&pumps[PUMP_TERMINAL_OUT], screen < 0 ? -1 : ports[PORT_TERMINAL], screen, SAFE_WRITE);
}

/* The machine is up: say what to run, and let the streams flow. */
static void start_command(char **arguments)
{
    if (request_send(ports[PORT_CONTROL], arguments) < 0)
        return;
    deadline = 0;
    terminal_raw();
    start_pumps();
    running = true;
}

static void note_exit(const struct message *message)
{
    exited = true;
    deadline = 0;
    exit_status = (int)message->value[0];
    pumps[PUMP_STDOUT].limit = message->value[1];
    pumps[PUMP_STDERR].limit = message->value[2];
    pumps[PUMP_TERMINAL_OUT].limit = message->value[3];
}

/* Take one message of the agent. Returns -1 if the machine is gone. */
static int take_message(char **arguments)
{
    struct message message;

    if (read_all(ports[PORT_CONTROL], &message, sizeof(message)) < 0)
        return -1;
    if (message.type == MESSAGE_HELLO)
        start_command(arguments);
    else if (message.type == MESSAGE_SIGNAL_DONE)
        deadline = 0;
    else if (message.type == MESSAGE_EXITED)
        note_exit(&message);
    return 0;
}

static void pass_size(void)
{
    uint32_t rows, columns;

    if (terminal_size(&rows, &columns) == 0)
        send_message(ports[PORT_CONTROL], MESSAGE_RESIZE, rows, columns);
}

/* Pass a signal on. Returns -1 if it ends with-kvm itself, because the command is not running. */
static int take_signal(int signals)
{
    struct signalfd_siginfo info;

    if (read(signals, &info, sizeof(info)) != sizeof(info))
        return 0;
    if (info.ssi_signo == SIGCONT && running)
        terminal_raw();
    if (info.ssi_signo == SIGCONT || info.ssi_signo == SIGWINCH) {
        if (running)
            pass_size();
        return 0;
    }
    if (!running)
        exit_status = 128 + (int)info.ssi_signo;
    if (!running || exited) {
        exited = true;
        return -1;
    }
    if (deadline == 0)
        deadline = now() + SIGNAL_SECONDS;
    /* What a terminal's key sends goes to its whole foreground group, what kill(1) sends to one process. */
    send_message(ports[PORT_CONTROL], MESSAGE_SIGNAL, info.ssi_signo, info.ssi_code == SI_KERNEL);
    return 0;
}

/* Tell the agent, once, that an input has ended, that an output has no reader, that the terminal hung up. */
static void pass_ends(void)
{
    static bool told[3], hung_up;

    if (!told[0] && pumps[PUMP_STDIN].from >= 0 && pumps[PUMP_STDIN].ended) {
        told[0] = true;
        send_message(ports[PORT_CONTROL], MESSAGE_STDIN_END, pumps[PUMP_STDIN].total, 0);
    }
    if (!hung_up && pumps[PUMP_TERMINAL_IN].from >= 0 && pumps[PUMP_TERMINAL_IN].ended) {
        hung_up = true;
        send_message(ports[PORT_CONTROL], MESSAGE_SIGNAL, SIGHUP, true);
    }
    for (int fd = 1; fd <= 2; fd++) {
        if (!told[fd] && pumps[PUMP_STDIN + fd].broken) {
            told[fd] = true;
            send_message(ports[PORT_CONTROL], MESSAGE_OUTPUT_CLOSED, (uint64_t)fd, 0);
        }
    }
}

static bool output_done(void)
{
    return pump_done(&pumps[PUMP_STDOUT]) && pump_done(&pumps[PUMP_STDERR]) &&
           pump_done(&pumps[PUMP_TERMINAL_OUT]);
}

/* One that stands still gets no more than it has room for. */
static void nudge(void)
{
    int unread = 0;

    if (running && !exited && ioctl(ports[PORT_CONTROL], SIOCOUTQ, &unread) == 0 && unread == 0)
        send_message(ports[PORT_CONTROL], MESSAGE_NOTHING, 0, 0);
}

/* Wait for the command and serve it until it has ended and its output is out, or the machine is gone. */
static void serve(char **arguments, int signals)
{
    struct pollfd waits[PUMP_COUNT + 2];

    while (!exited || !output_done()) {
        for (int i = 0; i < PUMP_COUNT; i++) {
            waits[i] = (struct pollfd){.fd = -1};
            if (running)
                pump_wait(&pumps[i], &waits[i]);
        }
        waits[PUMP_COUNT] = (struct pollfd){.fd = signals, .events = POLLIN};
        waits[PUMP_COUNT + 1] = (struct pollfd){.fd = exited ? -1 : ports[PORT_CONTROL], .events = POLLIN};
        if (poll(waits, PUMP_COUNT + 2, NUDGE_MILLISECONDS) == 0) {
            if (deadline != 0 && now() >= deadline) {
                silent = true;
                return;
            }
            nudge();
        }
        for (int i = 0; i < PUMP_COUNT; i++)
            pump_step(&pumps[i], waits[i].revents);
        if (running)
            pass_ends();
        if (waits[PUMP_COUNT].revents && take_signal(signals) < 0)
            return;
        if (waits[PUMP_COUNT + 1].revents && take_message(arguments) < 0)
            return;
    }
}

static int boot_seconds(bool last)
{
    const char *scale = getenv("TIMEOUT_SCALE");
    int seconds = scale ? 3 * atoi(scale) : 0, least = last ? LAST_BOOT_SECONDS : BOOT_SECONDS;

    return seconds > least ? seconds : least;
}

/* Start the machine and serve the command. Once in a while a machine hangs in its boot: while nothing has run
 * in it, it can be started again. Returns -1 if it cannot be started at all. */
static int run(char **qemu, const char *log_path, char **arguments, int signals)
{
    for (bool last = false;; last = true) {
        silent = false;
        deadline = now() + boot_seconds(last);
        if (machine_start(qemu, log_path, ports) < 0)
            return -1;
        serve(arguments, signals);
        if (!silent || running || last)
            return 0;
        fprintf(stderr, "with-kvm: the emulated machine has not come up after %d s; starting it once more\n",
                boot_seconds(false));
        machine_stop();
        for (int i = 0; i < PORT_COUNT; i++)
            close(ports[i]);
    }
}

/* Get the signals that we pass on through a descriptor; those that are ignored stay ignored. */
static int catch_signals(void)
{
    static const int passed[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT};
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof(passed) / sizeof(*passed); i++) {
        if (!request_ignores(passed[i]))
            sigaddset(&set, passed[i]);
    }
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Descriptors 0 to 2 must exist, or a port would take their place. */
static void fill_standard_descriptors(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd < 3);
    if (fd >= 0)
        close(fd);
}

/* relay LOG QEMU ARGUMENT... -- COMMAND ARGUMENT... */
int main(int argc, char **argv)
{
    int separator = 1, signals;

    while (separator < argc && strcmp(argv[separator], "--") != 0)
        separator++;
    if (separator < 3 || separator + 1 >= argc) {
        fprintf(stderr,
                "usage: relay LOG QEMU ARGUMENT... -- COMMAND ARGUMENT...; scripts/with-kvm calls it\n");
        return MACHINE_FAILED;
    }
    argv[separator] = NULL;
    fill_standard_descriptors();
    request_prepare();
    signals = catch_signals();
    if (signals < 0 || run(argv + 2, argv[1], argv + separator + 1, signals) < 0) {
        fprintf(stderr, "with-kvm: cannot start %s: %s\n", argv[2], strerror(errno));
        return MACHINE_FAILED;
    }
    terminal_restore();
    machine_stop();
    if (exited)
        unlink(argv[1]);
    else
        machine_explain(argv[1], silent    ? "does not answer"
                                 : running ? "ended while the command ran"
                                           : "ended before the command could start");
    return exit_status;
}
