/* Runs the command inside the fallback machine, pumps its streams and reports how it ended. */
#include "agent.h"
#include "child.h"
#include "protocol.h"
#include "pump.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * After the command has ended, processes that it left behind (a tee, say) may go on writing until they pause
 * this long. Long, because the machine may be slow; but a daemon must not hold up the end for ever.
 */
#define GRACE_MILLISECONDS 10000

enum { PUMP_STDIN, PUMP_STDOUT, PUMP_STDERR, PUMP_TERMINAL_IN, PUMP_TERMINAL_OUT, PUMP_COUNT };

static int ports[PORT_COUNT] = {-1, -1, -1, -1, -1};
static struct pump pumps[PUMP_COUNT];
static struct child child;
static bool exited;
static int exit_status;

/* Open the virtio-serial port whose sysfs directory is `entry`, if its name is one of ours. */
static void open_port(const char *entry)
{
    static const char *const names[PORT_COUNT] = {"control", "stdin", "stdout", "stderr", "terminal"};
    char path[300], name[32] = "";
    FILE *file;

    snprintf(path, sizeof(path), "/sys/class/virtio-ports/%s/name", entry);
    file = fopen(path, "re");
    if (!file)
        return;
    if (fscanf(file, "%31s", name) == 1) {
        snprintf(path, sizeof(path), "/dev/%s", entry);
        for (int i = 0; i < PORT_COUNT; i++) {
            if (strcmp(name, names[i]) == 0)
                ports[i] = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
        }
    }
    fclose(file);
}

static int missing_ports(void)
{
    int missing = 0;

    for (int i = 0; i < PORT_COUNT; i++)
        missing += ports[i] < 0;
    return missing;
}

/* The ports appear a moment after their driver is loaded. */
static int open_ports(void)
{
    for (int attempt = 0; attempt < 500 && missing_ports() > 0; attempt++) {
        DIR *dir = opendir("/sys/class/virtio-ports");
        for (struct dirent *entry; dir && (entry = readdir(dir));) {
            if (entry->d_name[0] != '.' && missing_ports() > 0)
                open_port(entry->d_name);
        }
        if (dir)
            closedir(dir);
        if (missing_ports() > 0)
            usleep(10000);
    }
    return missing_ports() == 0 ? 0 : -1;
}

/* Receive the command and its strings, which are kept for good. Returns NULL if the relay is gone. */
static struct command *receive_command(void)
{
    struct message message;
    char *payload;

    if (read_all(ports[PORT_CONTROL], &message, sizeof(message)) < 0 || message.type != MESSAGE_COMMAND ||
        message.length < sizeof(struct command) || !(payload = malloc(message.length)) ||
        read_all(ports[PORT_CONTROL], payload, message.length) < 0)
        return NULL;
    return (struct command *)payload;
}

static void start_pumps(void)
{
    for (int fd = 0; fd <= STDERR_FILENO; fd++) {
        if (child.streams[fd] >= 0)
            fcntl(child.streams[fd], F_SETFL, O_NONBLOCK);
    }
    if (child.terminal >= 0)
        fcntl(child.terminal, F_SETFL, O_NONBLOCK);
    pump_init(&pumps[PUMP_STDIN], child.streams[0] < 0 ? -1 : ports[PORT_STDIN], child.streams[0], SIZE_MAX);
    pump_init(&pumps[PUMP_STDOUT], child.streams[1], ports[PORT_STDOUT], SIZE_MAX);
    pump_init(&pumps[PUMP_STDERR], child.streams[2], ports[PORT_STDERR], SIZE_MAX);
    pump_init(&pumps[PUMP_TERMINAL_IN], child.terminal < 0 ? -1 : ports[PORT_TERMINAL], child.terminal,
              SIZE_MAX);
    pump_init(&pumps[PUMP_TERMINAL_OUT], child.terminal, ports[PORT_TERMINAL], SIZE_MAX);
}

/* The command must see the end of its input, or that nobody reads its output, as soon as we know of it. */
static void close_stream(int fd, struct pump *pump)
{
    if (child.streams[fd] < 0)
        return;
    close(child.streams[fd]);
    child.streams[fd] = -1;
    pump_cut(pump);
}

static void pass_signal(int signal, bool whole_group)
{
    /* The group does not exist yet if the child has not come to its setsid(). */
    if (!exited && (!whole_group || kill(-child.pid, signal) < 0))
        kill(child.pid, signal);
    send_message(ports[PORT_CONTROL], MESSAGE_SIGNAL_DONE, 0, 0);
}

static void resize(uint64_t rows, uint64_t columns)
{
    struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};

    if (child.terminal >= 0)
        ioctl(child.terminal, TIOCSWINSZ, &size);
}

/* Obey one message of the relay. Returns -1 if the relay is gone. */
static int obey(void)
{
    struct message message;

    if (read_all(ports[PORT_CONTROL], &message, sizeof(message)) < 0)
        return -1;
    switch (message.type) {
    case MESSAGE_SIGNAL:
        pass_signal((int)message.value[0], message.value[1] != 0);
        break;
    case MESSAGE_RESIZE:
        resize(message.value[0], message.value[1]);
        break;
    case MESSAGE_STDIN_END:
        pumps[PUMP_STDIN].limit = message.value[0];
        break;
    case MESSAGE_OUTPUT_CLOSED:
        close_stream((int)message.value[0], &pumps[message.value[0] == 1 ? PUMP_STDOUT : PUMP_STDERR]);
        break;
    default:
        break;
    }
    return 0;
}

/* Reap every process that ended: as process 1 we inherit the orphans too. */
static void reap(int signals)
{
    struct signalfd_siginfo info;
    int status;
    pid_t pid;

    (void)!read(signals, &info, sizeof(info));
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == child.pid) {
            exited = true;
            exit_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
        }
    }
}

static bool output_done(void)
{
    return pump_done(&pumps[PUMP_STDOUT]) && pump_done(&pumps[PUMP_STDERR]) &&
           pump_done(&pumps[PUMP_TERMINAL_OUT]);
}

/* Pump until the command has ended and all its output is on the way. */
static int pump_streams(int signals)
{
    struct pollfd waits[PUMP_COUNT + 2];

    while (!exited || !output_done()) {
        if (pump_done(&pumps[PUMP_STDIN]) || pumps[PUMP_STDIN].broken)
            close_stream(0, &pumps[PUMP_STDIN]);
        for (int i = 0; i < PUMP_COUNT; i++)
            pump_wait(&pumps[i], &waits[i]);
        waits[PUMP_COUNT] = (struct pollfd){.fd = signals, .events = POLLIN};
        waits[PUMP_COUNT + 1] = (struct pollfd){.fd = ports[PORT_CONTROL], .events = POLLIN};
        if (poll(waits, PUMP_COUNT + 2, exited ? GRACE_MILLISECONDS : -1) == 0)
            kill(-1, SIGKILL); /* left-over processes: with them the last writers of the pipes go */
        for (int i = 0; i < PUMP_COUNT; i++)
            pump_step(&pumps[i], waits[i].revents);
        if (waits[PUMP_COUNT].revents)
            reap(signals);
        if (waits[PUMP_COUNT + 1].revents && obey() < 0)
            return -1;
    }
    return 0;
}

static int report(void)
{
    struct message message = {
        .type = MESSAGE_EXITED,
        .value = {(uint64_t)exit_status, pumps[PUMP_STDOUT].total, pumps[PUMP_STDERR].total,
                  pumps[PUMP_TERMINAL_OUT].total},
    };

    kill(-1, SIGKILL);
    sync(); /* the relay ends the machine at once: everything must be in the host's files by now */
    return write_all(ports[PORT_CONTROL], &message, sizeof(message));
}

int agent_run(void)
{
    struct command *command;
    sigset_t child_ended;
    int signals;

    sigemptyset(&child_ended);
    sigaddset(&child_ended, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child_ended, NULL);
    signal(SIGPIPE, SIG_IGN);
    signals = signalfd(-1, &child_ended, SFD_CLOEXEC | SFD_NONBLOCK);
    if (open_ports() < 0) {
        fprintf(stderr, "with-kvm: the machine's virtio-serial ports did not appear\n");
        return -1;
    }
    if (send_message(ports[PORT_CONTROL], MESSAGE_HELLO, 0, 0) < 0 || !(command = receive_command()) ||
        child_start(&child, command) < 0)
        return -1;
    start_pumps();
    if (pump_streams(signals) < 0 || report() < 0)
        return -1;
    pause(); /* the relay takes what is still in the ports, then ends the machine */
    return 0;
}
