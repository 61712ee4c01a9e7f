/* Starts the fallback machine and connects this process's streams, signals and
 * exit status with the command inside it. */
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
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The exit status for failures of with-kvm itself, as timeout(1) and env(1)
 * have it. */
#define EXIT_FAILED 125

/* A machine that has not come up, or not taken a signal, after this many
 * seconds never will. */
#define BOOT_SECONDS   120
#define SIGNAL_SECONDS 30

/* A pipe or terminal that poll() calls writable takes this much without
 * blocking. */
#define SAFE_WRITE 4096

enum { PUMP_STDIN, PUMP_STDOUT, PUMP_STDERR, PUMP_TERMINAL_IN, PUMP_TERMINAL_OUT, PUMP_COUNT };

static int ports[PORT_COUNT];
static struct pump pumps[PUMP_COUNT];
static pid_t machine;
static bool running, exited, silent;
static time_t deadline; /* when to give the machine up, as seconds of the
                           monotonic clock; 0: never */
static int exit_status = EXIT_FAILED;

static time_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec;
}

/* In the new process: become QEMU, which must not outlive us, not get our
 * terminal's signals and not see our files. */
static void become_machine(char **qemu, const char *log_path, const int theirs[PORT_COUNT], pid_t parent)
{
    int null = open("/dev/null", O_RDWR), log = open(log_path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644);
    sigset_t none;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(EXIT_FAILED);
    setsid();
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    dup2(null, STDIN_FILENO);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    for (int i = 0; i < PORT_COUNT; i++)
        dup2(theirs[i], FIRST_PORT_FD + i);
    closefrom(FIRST_PORT_FD + PORT_COUNT);
    execvp(qemu[0], qemu);
    fprintf(stderr, "%s: %s\n", qemu[0], strerror(errno));
    _exit(EXIT_FAILED);
}

/* Start QEMU with one socket for each port. Returns 0 or -1. */
static int start_machine(char **qemu, const char *log_path)
{
    int theirs[PORT_COUNT];
    pid_t self = getpid();

    for (int i = 0; i < PORT_COUNT; i++) {
        int pair[2];
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
            return -1;
        ports[i] = pair[0];
        fcntl(ports[i], F_SETFL, O_NONBLOCK);
        /* Out of the way of the numbers that QEMU gets them under. */
        theirs[i] = fcntl(pair[1], F_DUPFD_CLOEXEC, FIRST_PORT_FD + PORT_COUNT);
        close(pair[1]);
    }
    machine = fork();
    if (machine == 0)
        become_machine(qemu, log_path, theirs, self);
    for (int i = 0; i < PORT_COUNT; i++)
        close(theirs[i]);
    return machine < 0 ? -1 : 0;
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

/* Pass a signal on. Returns -1 if it ends with-kvm itself, because the command
 * is not running. */
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
    deadline = now() + SIGNAL_SECONDS;
    /* What a terminal's key sends goes to its whole foreground group, what
     * kill(1) sends to one process. */
    send_message(ports[PORT_CONTROL], MESSAGE_SIGNAL, info.ssi_signo, info.ssi_code == SI_KERNEL);
    return 0;
}

/* Tell the agent, once, that an input has ended or that an output has no reader
 * any more. */
static void pass_ends(void)
{
    static bool told[3];

    if (!told[0] && pumps[PUMP_STDIN].from >= 0 && pumps[PUMP_STDIN].ended) {
        told[0] = true;
        send_message(ports[PORT_CONTROL], MESSAGE_STDIN_END, pumps[PUMP_STDIN].total, 0);
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

/* The milliseconds that poll() may wait. */
static int patience(void)
{
    time_t left = deadline - now();

    return deadline == 0 ? -1 : left > 0 ? (int)left * 1000 : 0;
}

/* Wait for the command and serve it until it has ended and its output is out,
 * or the machine is gone. */
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
        if (poll(waits, PUMP_COUNT + 2, patience()) == 0) {
            silent = true;
            return;
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

/* Block the signals that we pass on and get them through a descriptor; those
 * that are ignored stay ignored.
 */
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

/* Say why there is no result, with the end of what the machine wrote on its
 * console. */
static void explain_failure(const char *log_path, const char *command)
{
    char text[2001];
    FILE *log = fopen(log_path, "re");
    size_t size = 0;

    if (log) {
        if (fseek(log, -(long)(sizeof(text) - 1), SEEK_END) < 0)
            rewind(log);
        size = fread(text, 1, sizeof(text) - 1, log);
        fclose(log);
    }
    text[size] = '\0';
    fprintf(stderr, "with-kvm: the emulated machine %s; its console (%s) ends:\n%s\n",
            silent    ? "does not answer"
            : running ? "ended while the command ran"
                      : "ended before the command could start",
            log_path, size > 0 ? text : "(it is empty)");
    fprintf(stderr, "with-kvm: %s has no exit status\n", command);
}

/* relay LOG QEMU ARGUMENT... -- COMMAND ARGUMENT... */
int main(int argc, char **argv)
{
    int separator = 1, signals;

    while (separator < argc && strcmp(argv[separator], "--") != 0)
        separator++;
    if (separator < 3 || separator + 1 >= argc) {
        fprintf(stderr, "usage: relay LOG QEMU ARGUMENT... -- COMMAND ARGUMENT...; "
                        "scripts/with-kvm calls it\n");
        return EXIT_FAILED;
    }
    argv[separator] = NULL;
    fill_standard_descriptors();
    request_prepare();
    signals = catch_signals();
    deadline = now() + BOOT_SECONDS;
    if (signals < 0 || start_machine(argv + 2, argv[1]) < 0) {
        fprintf(stderr, "with-kvm: cannot start %s: %s\n", argv[2], strerror(errno));
        return EXIT_FAILED;
    }
    serve(argv + separator + 1, signals);
    terminal_restore();
    kill(machine, SIGKILL);
    waitpid(machine, NULL, 0);
    if (!exited)
        explain_failure(argv[1], argv[separator + 1]);
    else
        unlink(argv[1]);
    return exit_status;
}
