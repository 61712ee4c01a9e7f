/* Starts the command: pipes or a pseudo-terminal, session, user, directory, environment. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

/* What bash says too: 127 for a command that does not exist, 126 for one that cannot be run. */
enum { EXIT_NOT_RUN = 126, EXIT_NOT_FOUND = 127 };

static bool is_terminal(const struct command *command, int fd)
{
    return command->terminals & (1u << fd);
}

/* Turn `count` strings at *text into an array with a NULL at its end; *text moves behind them. */
static char **strings(char **text, uint32_t count)
{
    char **list = calloc(count + 1, sizeof(*list));

    for (uint32_t i = 0; list && i < count; i++) {
        list[i] = *text;
        *text += strlen(*text) + 1;
    }
    return list;
}

/* Open a pseudo-terminal with the modes and the size of the host's. */
static int open_terminal(const struct command *command, int *ours, int *theirs)
{
    struct winsize size = {.ws_row = (unsigned short)command->rows,
                           .ws_col = (unsigned short)command->columns};
    struct termios modes;

    if (openpty(ours, theirs, NULL, NULL, &size) < 0 || tcgetattr(*theirs, &modes) < 0)
        return -1;
    fcntl(*ours, F_SETFD, FD_CLOEXEC);
    fcntl(*theirs, F_SETFD, FD_CLOEXEC);
    fchown(*theirs, command->uid, (gid_t)-1);
    modes.c_iflag = command->iflag;
    modes.c_oflag = command->oflag;
    modes.c_cflag = command->cflag;
    modes.c_lflag = command->lflag;
    memcpy(modes.c_cc, command->control_characters, sizeof(modes.c_cc));
    return tcsetattr(*theirs, TCSANOW, &modes);
}

/* A pipe for descriptor fd of the child: ours and theirs are its two ends. */
static int open_pipe(int fd, int *ours, int *theirs)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    *ours = fd == 0 ? ends[1] : ends[0];
    *theirs = fd == 0 ? ends[0] : ends[1];
    return 0;
}

/* Become the user, after making the directory for sockets that XDG_RUNTIME_DIR names. */
static int become_user(const struct command *command)
{
    char path[64];

    snprintf(path, sizeof(path), "/run/user/%u", command->uid);
    mkdir("/run/user", 0755);
    mkdir(path, 0700);
    chown(path, command->uid, command->gid);
    umask((mode_t)command->umask);
    return setgroups(command->group_count, command->groups) < 0 || setgid(command->gid) < 0 ||
                   setuid(command->uid) < 0
               ? -1
               : 0;
}

static void restore_signals(const struct command *command)
{
    sigset_t none;

    signal(SIGPIPE, SIG_DFL);
    for (int i = 1; i < 32; i++) {
        if (command->ignored_signals & (1u << i))
            signal(i, SIG_IGN);
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* In the new process: take on everything that the command inherits, and run it. Does not return. */
static void run(const struct command *command, const int theirs[3], char **arguments, const char *directory)
{
    setsid();
    for (int fd = 0; fd < 3; fd++) {
        dup2(theirs[fd], fd);
        if (is_terminal(command, fd))
            ioctl(fd, TIOCSCTTY, 0);
    }
    if (become_user(command) < 0 || chdir(directory) < 0) {
        fprintf(stderr, "with-kvm: cannot enter directory %s in the fallback machine: %s\n", directory,
                strerror(errno));
        _exit(EXIT_NOT_RUN);
    }
    restore_signals(command);
    execvp(arguments[0], arguments);
    fprintf(stderr, "with-kvm: cannot run %s: %s\n", arguments[0], strerror(errno));
    _exit(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_RUN);
}

int child_start(struct child *child, struct command *command)
{
    struct timespec now = {.tv_sec = command->seconds, .tv_nsec = command->nanoseconds};
    char *text = (char *)(command + 1);
    char **arguments = strings(&text, command->argument_count);
    int theirs[3], terminal = -1;

    environ = strings(&text, command->variable_count);
    clock_settime(CLOCK_REALTIME, &now);
    child->terminal = -1;
    if (!arguments || !environ ||
        (command->terminals && open_terminal(command, &child->terminal, &terminal) < 0)) {
        perror("with-kvm: cannot open a terminal for the command");
        return -1;
    }
    for (int fd = 0; fd < 3; fd++) {
        child->streams[fd] = -1;
        theirs[fd] = terminal;
        if (!is_terminal(command, fd) && open_pipe(fd, &child->streams[fd], &theirs[fd]) < 0)
            return -1;
    }
    child->pid = fork();
    if (child->pid == 0)
        run(command, theirs, arguments, text);
    for (int fd = 0; fd < 3; fd++) {
        if (theirs[fd] != terminal)
            close(theirs[fd]);
    }
    if (terminal >= 0)
        close(terminal);
    return child->pid < 0 ? -1 : 0;
}
