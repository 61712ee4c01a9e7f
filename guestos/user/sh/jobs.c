/* Processes of the shell: forking with the right process group and signals, waiting, background jobs. */
#include "sh.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

volatile sig_atomic_t interrupted;

static void note_interrupt(int signal)
{
    (void)signal;
    interrupted = 1;
}

/* An interactive shell must survive the keyboard's signals; it has no fg and bg, so ^Z stops nothing. */
void job_control_start(struct shell *sh)
{
    struct sigaction action = {.sa_handler = note_interrupt}; /* no SA_RESTART: ^C ends the builtin read */

    signal(SIGQUIT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGTSTP, SIG_IGN);
    signal(SIGTTIN, SIG_IGN);
    signal(SIGTTOU, SIG_IGN);
    sigaction(SIGINT, &action, NULL);
    setpgid(0, 0);
    sh->job_control = tcsetpgrp(STDIN_FILENO, getpgrp()) == 0;
}

static void become_child(struct shell *sh, bool background)
{
    static const int defaults[] = {SIGINT, SIGQUIT, SIGTERM, SIGTTIN, SIGTTOU};

    if (sh->interactive)
        for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++)
            signal(defaults[i], SIG_DFL);
    if (background && !sh->job_control) { /* nobody else would keep ^C and the shell's input away from it */
        signal(SIGINT, SIG_IGN);
        signal(SIGQUIT, SIG_IGN);
    }
    sh->interactive = sh->job_control = false;
    sh->loops = 0;
    jobs_forget(sh);
}

pid_t job_fork(struct shell *sh, pid_t *group, bool background)
{
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid < 0)
        return pid;
    if (sh->job_control) { /* done in parent and child: whoever runs first must not be wrong */
        setpgid(pid, *group);
        if (!background && *group == 0)
            tcsetpgrp(STDIN_FILENO, pid ? pid : getpid());
        if (*group == 0)
            *group = pid ? pid : getpid();
    }
    if (pid == 0)
        become_child(sh, background);
    return pid;
}

static int exit_status(int wait_status)
{
    return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

/* Say what killed a program, unless it is what everybody expects. */
static void report_death(struct shell *sh, int wait_status)
{
    int signal = WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : 0;

    if (signal == SIGINT && sh->interactive) {
        fputc('\n', stderr);
        sh->unwind = UNWIND_LINE;
    } else if (signal && signal != SIGPIPE && signal != SIGINT) {
        fprintf(stderr, "%s\n", strsignal(signal));
    }
}

int job_wait_foreground(struct shell *sh, const pid_t *pids, int count)
{
    int status = 0;

    for (int i = 0; i < count; i++)
        while (waitpid(pids[i], &status, 0) < 0 && errno == EINTR)
            ;
    if (sh->job_control)
        tcsetpgrp(STDIN_FILENO, getpgrp());
    report_death(sh, status);
    return exit_status(status);
}

void job_add(struct shell *sh, pid_t pid)
{
    struct job *job = calloc(1, sizeof *job);

    sh->last_background = pid;
    if (!job)
        return;
    job->number = sh->jobs ? sh->jobs->number + 1 : 1;
    job->pid = pid;
    job->next = sh->jobs;
    sh->jobs = job;
    if (sh->interactive)
        fprintf(stderr, "[%d] %d\n", job->number, pid);
}

static void job_remove(struct shell *sh, struct job *job)
{
    struct job **at = &sh->jobs;

    while (*at != job)
        at = &(*at)->next;
    *at = job->next;
    free(job);
}

void jobs_forget(struct shell *sh)
{
    while (sh->jobs)
        job_remove(sh, sh->jobs);
}

static bool wait_for(struct job *job)
{
    int status;

    while (waitpid(job->pid, &status, 0) < 0) {
        if (errno == EINTR && interrupted)
            return false;
        if (errno != EINTR)
            break;
    }
    job->done = true;
    job->status = exit_status(status);
    return true;
}

int job_wait(struct shell *sh, pid_t pid)
{
    int status = pid ? 127 : 0;

    for (struct job *job = sh->jobs, *next; job; job = next) {
        next = job->next;
        if (pid && job->pid != pid)
            continue;
        if (!job->done && !wait_for(job))
            return 128 + SIGINT;
        status = pid ? job->status : 0;
        job_remove(sh, job);
    }
    return status;
}

/* Print the jobs: those that ended since the last report, or all. The ended ones are then forgotten. */
void job_report(struct shell *sh, bool all)
{
    int status;

    for (struct job *job = sh->jobs, *next; job; job = next) {
        next = job->next;
        if (!job->done && waitpid(job->pid, &status, WNOHANG) == job->pid) {
            job->done = true;
            job->status = exit_status(status);
        }
        if (job->done)
            fprintf(stderr, "[%d] %d done, status %d\n", job->number, job->pid, job->status);
        else if (all)
            printf("[%d] %d running\n", job->number, job->pid);
        if (job->done)
            job_remove(sh, job);
    }
}
