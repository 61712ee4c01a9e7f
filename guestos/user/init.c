/* init: process 1. Runs /etc/rc, then a shell on the console; reaps orphans; ends the machine with the
 * shell's status. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* In the child: lead a session whose terminal is the console, so that ^C reaches what runs there and not
 * init. */
static void become_console_session(void)
{
    setsid();
    ioctl(STDIN_FILENO, TIOCSCTTY, 1); /* 1: take it even from a session that rc left behind */
    tcsetpgrp(STDIN_FILENO, getpgrp());
}

static int status_of(int wait_status)
{
    return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

/* Wait for one child; every orphan that ends meanwhile is reaped on the way. Returns its wait status. */
static int wait_for(pid_t child)
{
    int status;
    pid_t ended;

    do {
        ended = waitpid(-1, &status, 0);
        if (ended < 0 && errno != EINTR)
            return 0;
    } while (ended != child);
    return status;
}

/* Run a program on the console until it ends. Returns its exit status, 128+N if signal N killed it. */
static int run(char **argv)
{
    pid_t child = fork();
    int status;

    if (child < 0) {
        fprintf(stderr, "init: cannot start %s: %s\n", argv[0], strerror(errno));
        return 1;
    }
    if (child == 0) {
        become_console_session();
        execv(argv[0], argv);
        fprintf(stderr, "init: %s: %s\n", argv[0], strerror(errno));
        _exit(127);
    }
    status = wait_for(child);
    if (WIFSIGNALED(status))
        fprintf(stderr, "init: %s was killed by signal %d (%s)\n", argv[0], WTERMSIG(status),
                strsignal(WTERMSIG(status)));
    return status_of(status);
}

/* Ask all other processes to end, then make them, and write what is still in memory. */
static void end_everything(void)
{
    kill(-1, SIGTERM);
    usleep(20000); /* time to react */
    kill(-1, SIGKILL);
    while (wait(NULL) > 0 || errno == EINTR)
        ;
    sync();
}

int main(void)
{
    char *rc[] = {"/bin/sh", "/etc/rc", NULL};
    char *greeting[] = {"/bin/cat", "/etc/motd", NULL};
    char *shell[] = {"/bin/sh", NULL};
    int status;

    if (getpid() != 1) {
        fprintf(stderr, "init: only the kernel starts init, as process 1; this is process %d\n", getpid());
        return 1;
    }
    if (access("/etc/rc", F_OK) == 0)
        run(rc);
    if (isatty(STDOUT_FILENO) && access(greeting[1], R_OK) == 0)
        run(greeting);
    status = run(shell);
    end_everything();
    return status; /* process 1 ending powers the machine off with this status */
}
