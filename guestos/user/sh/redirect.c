/* Redirections: pointing descriptors elsewhere for one command, and back. */
#include "sh.h"
#include "user.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SAVED_FD 10 /* the shell's own descriptors stay out of the way of a script's */

/* One descriptor as it was before a redirection. */
struct saved_fd {
    struct saved_fd *next;
    int fd, copy; /* copy -1: it was closed */
};

static int open_target(struct shell *sh, const struct redirect *redirect, const char *target)
{
    static const int flags[] = {
        [TOKEN_LESS] = O_RDONLY,
        [TOKEN_GREAT] = O_WRONLY | O_CREAT | O_TRUNC,
        [TOKEN_APPEND] = O_WRONLY | O_CREAT | O_APPEND,
    };
    int fd = open(target, flags[redirect->kind] | O_CLOEXEC, 0666);

    if (fd < 0)
        shell_error(sh, "%s: %s", target, strerror(errno));
    return fd;
}

/* n>&m or n>&-: make fd a copy of another, or close it. */
static int duplicate(struct shell *sh, int fd, const char *target)
{
    long from;

    if (strcmp(target, "-") == 0) {
        close(fd);
        return 0;
    }
    if (parse_number(target, 0, 999, &from) < 0) {
        shell_error(sh, "%s: a file descriptor or - must follow & in a redirection", target);
        return -1;
    }
    if (dup2(from, fd) < 0) {
        shell_error(sh, "%s: %s", target, strerror(errno));
        return -1;
    }
    return 0;
}

static int apply_redirect(struct shell *sh, struct arena *arena, const struct redirect *redirect)
{
    char *target = expand_string(sh, arena, redirect->target);
    int fd;

    if (!target)
        return -1;
    if (redirect->kind == TOKEN_LESS_AND || redirect->kind == TOKEN_GREAT_AND)
        return duplicate(sh, redirect->fd, target);
    fd = open_target(sh, redirect, target);
    if (fd < 0)
        return -1;
    if (fd == redirect->fd)
        return fcntl(fd, F_SETFD, 0);
    fd = dup2(fd, redirect->fd) < 0 ? (close(fd), -1) : (close(fd), 0);
    if (fd < 0)
        shell_error(sh, "descriptor %d: %s", redirect->fd, strerror(errno));
    return fd;
}

int redirect_all(struct shell *sh, struct arena *arena, const struct redirect *redirect,
                 struct saved_fd **saved)
{
    for (; redirect; redirect = redirect->next) {
        if (saved) {
            struct saved_fd *old = arena_alloc(arena, sizeof *old);
            *old = (struct saved_fd){*saved, redirect->fd, fcntl(redirect->fd, F_DUPFD_CLOEXEC, SAVED_FD)};
            *saved = old;
        }
        if (apply_redirect(sh, arena, redirect) < 0)
            return -1;
    }
    return 0;
}

void restore_fds(struct saved_fd *saved)
{
    fflush(stdout);
    for (; saved; saved = saved->next) {
        if (saved->copy < 0) {
            close(saved->fd);
        } else {
            dup2(saved->copy, saved->fd);
            close(saved->copy);
        }
    }
}
