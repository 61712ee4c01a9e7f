/* kill: send a signal to processes, SIGTERM if none is named; -l lists the signals; a PID below zero is a
 * group. */
#define _GNU_SOURCE
#include "user.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *const names[] = {
    [1] = "HUP", "INT",  "QUIT", "ILL",    "TRAP",   "ABRT",  "BUS",  "FPE",  "KILL", "USR1", "SEGV",
    "USR2",      "PIPE", "ALRM", "TERM",   "STKFLT", "CHLD",  "CONT", "STOP", "TSTP", "TTIN", "TTOU",
    "URG",       "XCPU", "XFSZ", "VTALRM", "PROF",   "WINCH", "IO",   "PWR",  "SYS",
};
#define NAMES (int)(sizeof names / sizeof *names)

/* The number of a signal given as 9, KILL or SIGKILL; -1 if there is none like it. */
static int signal_number(const char *text)
{
    long number;

    if (parse_number(text, 0, 64, &number) == 0)
        return number;
    if (strncasecmp(text, "SIG", 3) == 0)
        text += 3;
    for (int i = 1; i < NAMES; i++)
        if (strcasecmp(text, names[i]) == 0)
            return i;
    return -1;
}

static int list_signals(void)
{
    for (int i = 1; i < NAMES; i++)
        printf("%2d %-7s%s", i, names[i], i % 7 && i + 1 < NAMES ? " " : "\n");
    return finish(0);
}

int main(int argc, char **argv)
{
    int at = 1, signal = SIGTERM, status = 0;
    long pid;

    if (argc == 2 && strcmp(argv[1], "-l") == 0)
        return list_signals();
    if (at < argc && strcmp(argv[at], "-s") == 0 && at + 1 < argc)
        signal = signal_number(argv[++at]), at++;
    else if (argc > 2 && argv[at][0] == '-')
        signal = signal_number(argv[at++] + 1);
    if (at >= argc || signal < 0)
        return usage("kill [-SIGNAL | -s SIGNAL] PID..., or kill -l");
    for (; at < argc; at++) {
        if (parse_number(argv[at], INT_MIN, INT_MAX, &pid) < 0)
            return usage("kill [-SIGNAL | -s SIGNAL] PID..., or kill -l");
        if (kill(pid, signal) < 0)
            status = complain(argv[at]);
    }
    return status;
}
