/*
 * strace: run a program and show the system calls that it and its children make, as Linux's strace does; at
 * the end, those that Moss does not have.
 */
#define _GNU_SOURCE
#include "user.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../include/strace_abi.h"

static int device;
static FILE *out;

static struct strace_count count_of(unsigned number)
{
    struct strace_count count = {.number = number};

    ioctl(device, STRACE_COUNT, &count);
    return count;
}

/* Show only the calls in a list of names with commas between. Returns 0, or 2 after a message. */
static int show_only(char *list)
{
    struct strace_set set = {0};

    if (strncmp(list, "trace=", 6) == 0)
        list += 6;
    for (char *name = strtok(list, ","); name; name = strtok(NULL, ",")) {
        unsigned number = 0;
        while (number < STRACE_CALLS && strcmp(count_of(number).name, name) != 0)
            number++;
        if (number == STRACE_CALLS) {
            fprintf(stderr, "strace: %s: no such system call\n", name);
            return 2;
        }
        set.bits[number / 64] |= 1ul << number % 64;
    }
    ioctl(device, STRACE_ONLY, &set);
    return 0;
}

static int by_time(const void *a, const void *b)
{
    const struct strace_count *x = a, *y = b;

    return x->ns < y->ns ? 1 : x->ns > y->ns ? -1 : 0;
}

/* How often, how long, how many errors: the table of strace -c. */
static void print_counts(struct strace_count *counts)
{
    struct strace_count total = {0};

    for (int i = 0; i < STRACE_CALLS; i++) {
        total.calls += counts[i].calls;
        total.errors += counts[i].errors;
        total.ns += counts[i].ns;
    }
    qsort(counts, STRACE_CALLS, sizeof *counts, by_time);
    fprintf(out, "%% time     seconds  usecs/call     calls    errors syscall\n"
                 "------ ----------- ----------- --------- --------- ----------------\n");
    for (int i = 0; i < STRACE_CALLS; i++) {
        const struct strace_count *c = &counts[i];
        if (!c->calls)
            continue;
        fprintf(out, "%6.2f %11.6f %11ju %9ju ", 100.0 * c->ns / (total.ns ? total.ns : 1), c->ns / 1e9,
                (uintmax_t)(c->ns / 1000 / c->calls), (uintmax_t)c->calls);
        fprintf(out, c->errors ? "%9ju %s\n" : "%.0ju          %s\n", (uintmax_t)c->errors, c->name);
    }
    fprintf(out, "------ ----------- ----------- --------- --------- ----------------\n");
    fprintf(out, "100.00 %11.6f             %9ju %9ju total\n", total.ns / 1e9, (uintmax_t)total.calls,
            (uintmax_t)total.errors);
}

static void print_missing(const struct strace_count *counts)
{
    const char *before = "calls that Moss does not have: ";

    for (int i = 0; i < STRACE_CALLS; i++) {
        if (!counts[i].missing || !counts[i].calls)
            continue;
        fprintf(out, "%s%s x%ju", before, counts[i].name, (uintmax_t)counts[i].calls);
        before = ", ";
    }
    if (*before == ',')
        fputc('\n', out);
}

/* In the child: become traced, tell the parent whether that worked (0 or an errno), become the program. */
static void run(char **argv, int told)
{
    int error = ioctl(device, STRACE_ME) < 0 ? errno : 0;

    if (write_all(told, &error, sizeof error) < 0 || error)
        _exit(1);
    execvp(argv[0], argv);
    error = errno;
    fprintf(stderr, "strace: %s: %s\n", argv[0], strerror(error));
    _exit(error == ENOENT ? 127 : 126);
}

/* Start the program. Returns its process number, or -1 with errno set. */
static pid_t start(char **argv)
{
    int told[2], error = EIO;
    pid_t child;

    if (pipe2(told, O_CLOEXEC) < 0 || (child = fork()) < 0)
        return -1;
    if (child == 0)
        run(argv, told[1]);
    close(told[1]);
    if (read(told[0], &error, sizeof error) == sizeof error && error == 0)
        return child;
    errno = error; /* EBUSY: another strace traces us, and so our children */
    return -1;
}

/* Pass the text on until there is no traced process any more. */
static void copy_text(void)
{
    char buffer[4096];
    ssize_t n;

    while ((n = read(device, buffer, sizeof buffer)) > 0 || (n < 0 && errno == EINTR)) {
        if (n > 0)
            fwrite(buffer, 1, n, out);
        fflush(out);
    }
}

static int exit_status(pid_t child)
{
    int status = 0;

    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Do what the options say. Returns 0, or an exit status after a message; in *count whether to count only. */
static int take_options(int argc, char **argv, int *count)
{
    struct strace_set nothing = {0};
    int option, status = 0;

    while ((option = getopt(argc, argv, "+cfe:o:")) != -1 && status == 0) {
        if (option == 'c')
            *count = 1;
        else if (option == 'e')
            status = show_only(optarg);
        else if (option == 'o' && !(out = fopen(optarg, "we")))
            status = complain(optarg);
        else if (option == '?')
            optind = argc;
    }
    if (status == 0 && optind >= argc)
        status = usage("strace [-c] [-e CALL,CALL...] [-o FILE] PROGRAM [ARGUMENT...]; -c counts the calls, "
                       "-f is always on");
    if (*count)
        ioctl(device, STRACE_ONLY, &nothing);
    return status;
}

int main(int argc, char **argv)
{
    static struct strace_count counts[STRACE_CALLS];
    int status, count = 0;
    pid_t child;

    out = stderr;
    device = open("/dev/strace", O_RDONLY | O_CLOEXEC);
    if (device < 0)
        return complain("/dev/strace");
    status = take_options(argc, argv, &count);
    if (status)
        return status;
    child = start(argv + optind);
    if (child < 0)
        return complain(argv[optind]);
    signal(SIGINT, SIG_IGN); /* the program's business */
    signal(SIGQUIT, SIG_IGN);
    copy_text();
    for (int i = 0; i < STRACE_CALLS; i++)
        counts[i] = count_of(i);
    print_missing(counts);
    if (count)
        print_counts(counts);
    return finish(exit_status(child));
}
