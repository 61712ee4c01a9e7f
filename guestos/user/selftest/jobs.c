/* Self-test: processes are stopped and go on, and their parents hear of it; timers; waiting for signals. */
#define _GNU_SOURCE
#include "selftest.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t caught, count;
static volatile siginfo_t last;

static void catch_with_info(int signal, siginfo_t *info, void *context)
{
    (void)context;
    caught = signal;
    count++;
    last = *info;
}

static void handle(int signal, int flags)
{
    struct sigaction action = {.sa_sigaction = catch_with_info, .sa_flags = SA_SIGINFO | flags};

    WORKS(sigaction(signal, &action, NULL));
}

static pid_t start(void (*body)(void))
{
    pid_t child = fork();

    WORKS(child);
    if (child == 0) {
        body();
        _exit(0);
    }
    return child;
}

static void wait_for_ever(void)
{
    for (;;)
        pause();
}

static int64_t now(void)
{
    struct timespec time;

    WORKS(clock_gettime(CLOCK_MONOTONIC, &time));
    return time.tv_sec * 1000000000ll + time.tv_nsec;
}

TEST(jobs_stop_and_continue)
{
    int status;
    pid_t child = start(wait_for_ever);

    handle(SIGCHLD, SA_RESTART);
    WORKS(kill(child, SIGSTOP));
    EQUAL(waitpid(child, &status, WUNTRACED), child);
    CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP, "wait status %#x of a stopped child", status);
    EQUAL(last.si_code, CLD_STOPPED);
    EQUAL(last.si_status, SIGSTOP);
    EQUAL(waitpid(child, &status, WUNTRACED | WNOHANG), 0); /* told once */
    WORKS(kill(child, SIGTERM));
    usleep(20000);
    EQUAL(waitpid(child, &status, WNOHANG), 0); /* a stopped process does not react ... */
    WORKS(kill(child, SIGCONT));
    EQUAL(waitpid(child, &status, 0), child); /* ... before it goes on */
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM, "wait status %#x, should be: killed by SIGTERM",
          status);
}

TEST(jobs_continued_is_news)
{
    int status;
    pid_t child = start(wait_for_ever);

    WORKS(kill(child, SIGSTOP));
    EQUAL(waitpid(child, &status, WUNTRACED), child);
    WORKS(kill(child, SIGCONT));
    EQUAL(waitpid(child, &status, WCONTINUED), child);
    CHECK(WIFCONTINUED(status), "wait status %#x of a continued child", status);
    WORKS(kill(child, SIGSTOP));
    WORKS(kill(child, SIGKILL)); /* kills even what is stopped */
    EQUAL(waitpid(child, &status, 0), child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "wait status %#x, should be: killed by SIGKILL",
          status);
}

TEST(jobs_waitid)
{
    siginfo_t info = {0};
    pid_t child = start(wait_for_ever);

    WORKS(waitid(P_PID, child, &info, WEXITED | WSTOPPED | WNOHANG));
    EQUAL(info.si_pid, 0);
    WORKS(kill(child, SIGSTOP));
    WORKS(waitid(P_PID, child, &info, WSTOPPED));
    EQUAL(info.si_pid, child);
    EQUAL(info.si_code, CLD_STOPPED);
    WORKS(kill(child, SIGKILL));
    WORKS(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT));
    EQUAL(info.si_code, CLD_KILLED);
    EQUAL(info.si_status, SIGKILL);
    WORKS(waitid(P_PID, child, &info, WEXITED)); /* WNOWAIT has left it there */
    FAILS(waitid(P_PID, child, &info, WEXITED), ECHILD);
    FAILS(waitid(P_PID, child, &info, 0), EINVAL);
    FAILS(waitid(99, child, &info, WEXITED), EINVAL);
}

static void sleep_a_while(void)
{
    struct timespec time = {0, 200000000}, left = {9, 9};
    int64_t before = now();

    EQUAL(nanosleep(&time, &left), 0);
    CHECK(now() - before >= 200000000, "a stop has cut a sleep short");
}

TEST(jobs_a_stop_does_not_end_a_sleep)
{
    pid_t child = start(sleep_a_while);

    usleep(20000);
    WORKS(kill(child, SIGSTOP));
    usleep(20000);
    WORKS(kill(child, SIGCONT));
    EQUAL(wait_for(child), 0);
}

TEST(jobs_continue_undoes_a_blocked_stop)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTSTP);
    WORKS(sigprocmask(SIG_BLOCK, &set, NULL));
    WORKS(raise(SIGTSTP));
    WORKS(raise(SIGCONT));
    WORKS(sigpending(&set));
    EQUAL(sigismember(&set, SIGTSTP), 0);
}

/* The calls below came with the programs that need them. */
static void needs(long number)
{
    if (raw_syscall(number, -1, -1, -1, -1, -1, -1) == -ENOSYS)
        skip("the call is not there");
}

TEST(timers_repeat)
{
    struct itimerval often = {{0, 10000}, {0, 10000}}, old;

    needs(SYS_setitimer);
    handle(SIGALRM, 0);
    WORKS(setitimer(ITIMER_REAL, &often, NULL));
    while (count < 3)
        pause();
    WORKS(setitimer(ITIMER_REAL, &(struct itimerval){0}, &old));
    EQUAL(old.it_interval.tv_usec, 10000);
    CHECK(old.it_value.tv_usec > 0 && old.it_value.tv_usec <= 10000, "%ld us are left of 10000",
          (long)old.it_value.tv_usec);
    FAILS(setitimer(3, &often, NULL), EINVAL);
    often.it_value.tv_usec = 1000000;
    EQUAL(raw_syscall(SYS_setitimer, ITIMER_REAL, (long)&often, 0, 0, 0, 0), -EINVAL);
    EQUAL(raw_syscall(SYS_setitimer, ITIMER_REAL, 1, 0, 0, 0, 0), -EFAULT);
}

TEST(timers_alarm)
{
    struct itimerval soon = {{0, 0}, {0, 1000}};

    needs(SYS_setitimer);
    EQUAL(alarm(100), 0);
    int left = alarm(50);
    CHECK(left == 99 || left == 100, "%d seconds are left of 100", left);
    pid_t child = fork();
    WORKS(child);
    if (child == 0)
        _exit(alarm(0)); /* not inherited */
    EQUAL(wait_for(child), 0);
    alarm(0);
    if (fork() == 0) {
        setitimer(ITIMER_REAL, &soon, NULL);
        wait_for_ever();
    }
    int status;
    WORKS(wait(&status));
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM, "wait status %#x, should be: killed by SIGALRM",
          status);
}

TEST(timers_of_running_time)
{
    struct itimerval soon = {{0, 0}, {0, 20000}};

    needs(SYS_setitimer);
    handle(SIGVTALRM, 0);
    WORKS(setitimer(ITIMER_VIRTUAL, &soon, NULL));
    while (!count)
        ;
    EQUAL(caught, SIGVTALRM);
}

TEST(signals_waited_for)
{
    struct timespec soon = {0, 20000000};
    siginfo_t info;
    sigset_t set;

    needs(SYS_rt_sigtimedwait);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGCHLD);
    WORKS(sigprocmask(SIG_BLOCK, &set, NULL));
    FAILS(sigtimedwait(&set, &info, &soon), EAGAIN);
    WORKS(raise(SIGUSR1));
    EQUAL(sigtimedwait(&set, &info, &soon), SIGUSR1);
    EQUAL(info.si_pid, getpid());
    pid_t child = start(sleep_a_while);
    EQUAL(sigwaitinfo(&set, &info), SIGCHLD);
    EQUAL(info.si_pid, child);
    EQUAL(info.si_code, CLD_EXITED);
    EQUAL(wait_for(child), 0);
    EQUAL(raw_syscall(SYS_rt_sigtimedwait, 1, 0, 0, 8, 0, 0), -EFAULT);
}
