/* The helpers that all user programs link: messages, whole writes, walking over input files. */
#define _GNU_SOURCE
#include "user.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int complain(const char *thing)
{
    int reason = errno;

    fflush(stdout);
    fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, thing, strerror(reason));
    return 1;
}

int usage(const char *text)
{
    fprintf(stderr, "usage: %s\n", text);
    return 2;
}

int finish(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fprintf(stderr, "%s: standard output: %s\n", program_invocation_short_name, strerror(errno));
    return status ? status : 1;
}

int write_all(int fd, const void *data, size_t size)
{
    const char *at = data;

    while (size > 0) {
        ssize_t n = write(fd, at, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        at += n;
        size -= n;
    }
    return 0;
}

int copy_fd(int from, int to, const char *from_name, const char *to_name)
{
    static char buffer[16384];
    ssize_t n;

    while ((n = read(from, buffer, sizeof buffer)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return complain(from_name);
        if (write_all(to, buffer, n) < 0)
            return complain(to_name);
    }
    return 0;
}

static int work_on_file(const char *name, int (*work)(int fd, const char *name))
{
    int fd, status;

    if (strcmp(name, "-") == 0)
        return work(STDIN_FILENO, "standard input");
    fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return complain(name);
    status = work(fd, name);
    close(fd);
    return status;
}

int for_each_input(char **names, int (*work)(int fd, const char *name))
{
    int worst = 0;

    if (!names[0])
        return work(STDIN_FILENO, "standard input");
    for (; *names; names++) {
        int status = work_on_file(*names, work);
        if (status > worst)
            worst = status;
    }
    return worst;
}

char *join_path(const char *directory, const char *name)
{
    char *path;
    size_t length = strlen(directory);
    const char *slash = length && directory[length - 1] == '/' ? "" : "/";

    return asprintf(&path, "%s%s%s", directory, slash, name) < 0 ? NULL : path;
}

int parse_number(const char *text, long low, long high, long *value)
{
    char *end;

    errno = 0;
    *value = strtol(text, &end, 10);
    return errno || end == text || *end || *value < low || *value > high ? -1 : 0;
}

int old_number(char **argv, long *number)
{
    return argv[1] && argv[1][0] == '-' && argv[1][1] >= '0' && argv[1][1] <= '9' &&
           parse_number(argv[1] + 1, 0, LONG_MAX, number) == 0;
}

const char *base_name(const char *path)
{
    const char *end = path + strlen(path);

    while (end > path + 1 && end[-1] == '/')
        end--;
    while (end > path && end[-1] != '/')
        end--;
    return end;
}
