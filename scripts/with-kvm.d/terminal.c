/* Describes, changes and restores the host's terminal for the relay. */
#include "terminal.h"

#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static struct termios saved;
static bool changed;

int terminal_output(void)
{
    static const int order[] = {STDOUT_FILENO, STDERR_FILENO, STDIN_FILENO};

    for (int i = 0; i < 3; i++) {
        if (isatty(order[i]))
            return order[i];
    }
    return -1;
}

int terminal_size(uint32_t *rows, uint32_t *columns)
{
    struct winsize size;

    if (ioctl(terminal_output(), TIOCGWINSZ, &size) < 0)
        return -1;
    *rows = size.ws_row;
    *columns = size.ws_col;
    return 0;
}

void terminal_describe(struct command *command)
{
    struct termios modes;

    for (int fd = 0; fd < 3; fd++) {
        if (isatty(fd))
            command->terminals |= 1u << fd;
    }
    if (tcgetattr(terminal_output(), &modes) < 0)
        return;
    terminal_size(&command->rows, &command->columns);
    command->iflag = modes.c_iflag;
    command->oflag = modes.c_oflag;
    command->cflag = modes.c_cflag;
    command->lflag = modes.c_lflag;
    if (!isatty(STDIN_FILENO)) /* then the host's terminal stays as it is and does this itself */
        command->oflag &= ~(tcflag_t)OPOST;
    memcpy(command->control_characters, modes.c_cc, sizeof(command->control_characters));
}

static void crashed(int signal_number)
{
    terminal_restore();
    raise(signal_number); /* SA_RESETHAND: this time it kills */
}

/* SIGCONT, which goes on from here, comes to the relay: it makes the terminal raw again. */
static void stopped(int signal_number)
{
    (void)signal_number;
    terminal_restore();
    raise(SIGSTOP);
}

static void watch_signals(void)
{
    static const int crashes[] = {SIGSEGV, SIGBUS,  SIGILL,  SIGFPE,  SIGABRT,
                                  SIGTRAP, SIGALRM, SIGXCPU, SIGXFSZ, SIGSYS};
    const struct sigaction crash = {.sa_handler = crashed, .sa_flags = (int)SA_RESETHAND};
    const struct sigaction stop = {.sa_handler = stopped, .sa_flags = SA_RESTART};

    for (size_t i = 0; i < sizeof(crashes) / sizeof(*crashes); i++)
        sigaction(crashes[i], &crash, NULL);
    sigaction(SIGTSTP, &stop, NULL);
}

void terminal_raw(void)
{
    struct termios raw;

    if (!changed && tcgetattr(STDIN_FILENO, &saved) < 0)
        return;
    if (!changed)
        watch_signals();
    changed = true;
    raw = saved;
    cfmakeraw(&raw);
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

void terminal_restore(void)
{
    if (changed)
        tcsetattr(STDIN_FILENO, TCSANOW, &saved);
}
