/* Self-test: signals are delivered, blocked, ignored and returned from as on Linux. */
#define _GNU_SOURCE
#include "selftest.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

static volatile sig_atomic_t caught, count;
static volatile siginfo_t last;

static void catch (int signal)
{
    caught = signal;
    count++;
}

static void catch_with_info(int signal, siginfo_t *info, void *context)
{
    (void)context;
    caught = signal;
    last = *info;
}

static void handle(int signal, void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

    WORKS(sigaction(signal, &action, NULL));
}

static void handle_with_info(int signal, void (*handler)(int, siginfo_t *, void *), int flags)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};

    WORKS(sigaction(signal, &action, NULL));
}

TEST(signals_kill)
{
    FAILS(kill(999999, 0), ESRCH);
    FAILS(kill(getpid(), 99), EINVAL);
    WORKS(kill(getpid(), 0));
    FAILS(kill(-999999, SIGTERM), ESRCH);
    handle(SIGUSR1, catch, 0);
    WORKS(kill(getpid(), SIGUSR1));
    EQUAL(caught, SIGUSR1);
    WORKS(raise(SIGUSR1));
    EQUAL(count, 2);
    WORKS(kill(0, SIGUSR1)); /* the group, which is this process alone */
    EQUAL(count, 3);
}

TEST(signals_dispositions)
{
    struct sigaction old;

    handle(SIGTERM, SIG_IGN, 0);
    WORKS(raise(SIGTERM));
    handle(SIGUSR2, catch, SA_RESETHAND);
    WORKS(raise(SIGUSR2));
    WORKS(sigaction(SIGUSR2, NULL, &old));
    CHECK(old.sa_handler == SIG_DFL, "SA_RESETHAND leaves the handler in place");
    WORKS(raise(SIGCHLD)); /* ignored by default */
    EQUAL(raw_syscall(SYS_rt_sigaction, SIGKILL, (long)&old, 0, 8, 0, 0), -EINVAL);
    EQUAL(raw_syscall(SYS_rt_sigaction, 99, 0, 0, 8, 0, 0), -EINVAL);
    EQUAL(raw_syscall(SYS_rt_sigaction, SIGTERM, 0, 0, 4, 0, 0), -EINVAL);
    pid_t child = fork();
    WORKS(child);
    if (child == 0) {
        WORKS(raise(SIGTERM)); /* fork inherits "ignored" */
        WORKS(raise(SIGKILL));
    }
    int status = wait_for(child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "wait status %#x, should be: killed by SIGKILL",
          status);
}

TEST(signals_blocked_ones_wait)
{
    sigset_t set, old;

    handle(SIGUSR1, catch, 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    WORKS(sigprocmask(SIG_BLOCK, &set, &old));
    WORKS(raise(SIGUSR1));
    WORKS(raise(SIGUSR1));
    EQUAL(count, 0);
    sigpending(&set);
    EQUAL(sigismember(&set, SIGUSR1), 1);
    WORKS(sigprocmask(SIG_SETMASK, &old, NULL));
    EQUAL(count, 1); /* one of a kind is kept */
    EQUAL(raw_syscall(SYS_rt_sigprocmask, 99, (long)&set, 0, 8, 0, 0), -EINVAL);
}

static void raise_again(int signal)
{
    static int depth;

    if (depth++ == 0) {
        WORKS(raise(signal));
        EQUAL(count, 0); /* blocked while its handler runs */
    } else {
        count++;
    }
}

TEST(signals_handler_blocks_its_own)
{
    handle(SIGUSR1, raise_again, 0);
    WORKS(raise(SIGUSR1));
    EQUAL(count, 1);
}

TEST(signals_interrupt_a_read)
{
    int ends[2], ready[2];
    char c;

    WORKS(pipe(ends));
    WORKS(pipe(ready));
    handle(SIGUSR1, catch, 0);
    pid_t child = fork();
    WORKS(child);
    if (child == 0)
        for (;;) { /* more than once: the first may come before the read */
            usleep(20000);
            WORKS(kill(getppid(), SIGUSR1));
        }
    FAILS(read(ends[0], &c, 1), EINTR);
    CHECK(count >= 1, "the read ended before a handler ran");
    WORKS(kill(child, SIGKILL));
    wait_for(child);
}

TEST(signals_restart_a_read)
{
    int ends[2];
    char c = 0;

    WORKS(pipe(ends));
    handle(SIGUSR1, catch, SA_RESTART);
    pid_t child = fork();
    WORKS(child);
    if (child == 0) {
        for (int i = 0; i < 5; i++) {
            usleep(20000);
            WORKS(kill(getppid(), SIGUSR1));
        }
        EQUAL(write(ends[1], "!", 1), 1);
        _exit(0);
    }
    EQUAL(read(ends[0], &c, 1), 1);
    EQUAL(c, '!');
    CHECK(count >= 1, "no handler ran");
    EQUAL(wait_for(child), 0);
}

TEST(signals_child_ends)
{
    handle_with_info(SIGCHLD, catch_with_info, 0);
    pid_t child = fork();
    WORKS(child);
    if (child == 0)
        _exit(7);
    EQUAL(wait_for(child), 7 << 8);
    EQUAL(caught, SIGCHLD);
    EQUAL(last.si_signo, SIGCHLD);
    EQUAL(last.si_code, CLD_EXITED);
    EQUAL(last.si_pid, child);
    EQUAL(last.si_status, 7);
}

TEST(signals_to_a_group)
{
    pid_t children[3], group = 0;

    for (int i = 0; i < 3; i++) {
        children[i] = fork();
        WORKS(children[i]);
        if (children[i] == 0)
            for (;;)
                pause();
        if (i == 0)
            group = children[0];
        WORKS(setpgid(children[i], group));
    }
    WORKS(kill(-group, SIGTERM));
    for (int i = 0; i < 3; i++) {
        int status = wait_for(children[i]);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM, "child %d of the group: wait status %#x", i,
              status);
    }
}

static void write_to_nobody(void)
{
    int ends[2];

    WORKS(pipe(ends));
    close(ends[0]);
    if (write(ends[1], "x", 1)) {
    }
}

TEST(signals_broken_pipe)
{
    dies_of(write_to_nobody, SIGPIPE, "writing to a pipe without readers");
}

static void *fault_address;

static void expect_fault(int signal, siginfo_t *info, void *context)
{
    _exit(
        !(signal == SIGSEGV && info->si_addr == fault_address && info->si_code == *(int *)&count && context));
}

static void fault(void)
{
    handle_with_info(SIGSEGV, expect_fault, 0);
    *(volatile char *)fault_address = 1;
}

TEST(signals_segv_tells_address_and_cause)
{
    fault_address = (void *)0x123000;
    count = SEGV_MAPERR;
    EQUAL(run_in_child(fault), 0);
    fault_address = (char *)map_pages(1, PROT_READ) + 17;
    count = SEGV_ACCERR;
    EQUAL(run_in_child(fault), 0);
}

static void fault_in_handler(int signal)
{
    (void)signal;
    *(volatile char *)0x124000 = 1;
}

static void fault_twice(void)
{
    handle(SIGSEGV, fault_in_handler, 0);
    *(volatile char *)0x123000 = 1;
}

static void fault_without_stack(void)
{
    handle(SIGSEGV, catch, 0);
    __asm__ volatile("mov $0x1000, %rsp\n\tpush %rax");
}

static void fault_with_kernel_stack(void)
{
    handle(SIGSEGV, catch, 0);
    __asm__ volatile("mov $0xffffffff80000800, %rsp\n\tpush %rax");
}

TEST(signals_that_cannot_be_handled_kill)
{
    dies_of(fault_twice, SIGSEGV, "a fault in SIGSEGV's own handler");
    dies_of(fault_without_stack, SIGSEGV, "a fault with no stack for the handler");
    dies_of(fault_with_kernel_stack, SIGSEGV, "a fault with a stack pointer into the kernel");
}

static void repair_and_return(int signal, siginfo_t *info, void *context)
{
    ucontext_t *registers = context;

    (void)signal, (void)info;
    __asm__ volatile("pxor %xmm3, %xmm3\n\tmov $0, %r13\n\tmov $0, %r14"); /* the return must undo this */
    registers->uc_mcontext.gregs[REG_RIP] += 2;                            /* behind the ud2 */
    registers->uc_mcontext.gregs[REG_RDX] = 0x5555;
}

TEST(signals_return_restores_all_registers)
{
    uint64_t vector[2] = {0x0123456789abcdef, 0xfedcba9876543210}, got[2], r13, r14, rdx, flags;

    handle_with_info(SIGILL, repair_and_return, 0);
    __asm__ volatile("movdqu %5, %%xmm3\n\t"
                     "mov $0x1313, %%r13\n\t"
                     "mov $0x1414, %%r14\n\t"
                     "mov $1, %%edx\n\t"
                     "stc\n\t"
                     "ud2\n\t"
                     "pushfq\n\t"
                     "pop %4\n\t"
                     "mov %%r13, %1\n\t"
                     "mov %%r14, %2\n\t"
                     "mov %%rdx, %3\n\t"
                     "movdqu %%xmm3, %0"
                     : "=m"(got), "=m"(r13), "=m"(r14), "=m"(rdx), "=r"(flags)
                     : "m"(vector)
                     : "rdx", "r13", "r14", "xmm3", "memory", "cc");
    EQUAL(r13, 0x1313);
    EQUAL(r14, 0x1414);
    CHECK(rdx == 0x5555, "the handler's change of rdx in the context is lost: %#lx", (unsigned long)rdx);
    CHECK(flags & 1, "the carry flag is lost: flags %#lx", (unsigned long)flags);
    CHECK(memcmp(got, vector, sizeof got) == 0, "xmm3 is not restored");
}

static char *other_stack;

static void check_stack(int signal)
{
    char here;

    caught = signal;
    count = &here >= other_stack && &here < other_stack + 16 * PAGE;
}

TEST(signals_on_another_stack)
{
    stack_t stack = {.ss_size = 16 * PAGE, .ss_sp = other_stack = map_pages(16, PROT_READ | PROT_WRITE)};

    if (sigaltstack(&stack, NULL) < 0 && errno == ENOSYS)
        skip("sigaltstack is not there");
    handle(SIGUSR1, check_stack, SA_ONSTACK);
    WORKS(raise(SIGUSR1));
    EQUAL(caught, SIGUSR1);
    CHECK(count, "the handler did not run on the stack of sigaltstack");
}

TEST(signals_exec_resets_handlers)
{
    int status;
    pid_t child = fork();

    WORKS(child);
    if (child == 0) {
        handle(SIGUSR1, catch, 0);
        handle(SIGUSR2, SIG_IGN, 0);
        execl("/bin/sh", "sh", "-c", "kill -USR2 $$; kill -USR1 $$; exit 5", NULL);
        _exit(99);
    }
    status = wait_for(child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1,
          "wait status %#x: after exec SIGUSR2 should stay ignored and SIGUSR1 kill", status);
}
