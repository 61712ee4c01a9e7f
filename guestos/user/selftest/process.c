/* Self-test: fork, execve, wait and what a new program finds on its stack. */
#define _GNU_SOURCE
#include "selftest.h"

#include <elf.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Run a program with its output in a pipe. Returns its exit status, or -1; the output is in `output`. */
static int capture(char **argv, char **environment, char *output, size_t size)
{
    int ends[2], status;
    size_t length = 0;
    ssize_t n;

    WORKS(pipe(ends));
    pid_t child = fork();
    WORKS(child);
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        execve(argv[0], argv, environment);
        _exit(100 + errno % 100);
    }
    close(ends[1]);
    while ((n = read(ends[0], output + length, size - 1 - length)) > 0)
        length += n;
    output[length] = '\0';
    close(ends[0]);
    status = wait_for(child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void exit_300(void)
{
    _exit(300);
}

TEST(process_wait_status)
{
    struct rusage usage;
    int status;
    pid_t child = fork();

    WORKS(child);
    if (child == 0)
        for (;;)
            pause();
    EQUAL(waitpid(child, &status, WNOHANG), 0);
    WORKS(kill(child, SIGKILL));
    memset(&usage, 0xff, sizeof usage);
    EQUAL(wait4(child, &status, 0, &usage), child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "the wait status of a killed child is %#x",
          status);
    CHECK(usage.ru_utime.tv_sec >= 0 && usage.ru_utime.tv_usec >= 0 && usage.ru_utime.tv_usec < 1000000,
          "rusage says %ld.%06ld s", (long)usage.ru_utime.tv_sec, (long)usage.ru_utime.tv_usec);
    FAILS(waitpid(child, &status, 0), ECHILD);
    FAILS(waitpid(-1, &status, WNOHANG), ECHILD);
    FAILS(waitpid(1, &status, 0), ECHILD);
    EQUAL(raw_syscall(SYS_wait4, -1, 0, 0x10000000, 0, 0, 0), -EINVAL);
    EQUAL(run_in_child(exit_300), (300 & 0xff) << 8);
}

TEST(process_orphans_get_a_new_parent)
{
    int ends[2];
    pid_t parent = -1;

    WORKS(pipe(ends));
    pid_t child = fork();
    WORKS(child);
    if (child == 0) {
        pid_t self = getpid();
        if (fork() == 0) {
            while (getppid() == self)
                sched_yield();
            parent = getppid();
            EQUAL(write(ends[1], &parent, sizeof parent), sizeof parent);
        }
        _exit(0);
    }
    EQUAL(wait_for(child), 0);
    EQUAL(read(ends[0], &parent, sizeof parent), sizeof parent);
    CHECK(parent != child && parent > 0, "the orphan's parent is %d", parent);
    if (on_moss())
        EQUAL(parent, 1);
}

TEST(process_ids_and_groups)
{
    EQUAL(getpgrp(), getpid());
    EQUAL(getpgid(0), getpid());
    EQUAL(raw_syscall(SYS_gettid, 0, 0, 0, 0, 0, 0), getpid());
    EQUAL(raw_syscall(SYS_set_tid_address, 0, 0, 0, 0, 0, 0), getpid());
    FAILS(setpgid(999999, 0), ESRCH);
    FAILS(getpgid(999999), ESRCH);
    pid_t child = fork();
    WORKS(child);
    if (child == 0) {
        EQUAL(getpgrp(), getppid());
        EQUAL(setsid(), getpid());
        EQUAL(getsid(0), getpid());
        EQUAL(getpgrp(), getpid());
        FAILS(setsid(), EPERM);
        _exit(0);
    }
    EQUAL(wait_for(child), 0);
}

TEST(process_exec_errors)
{
    char *argv[] = {"x", NULL}, *none[] = {NULL};

    FAILS(execve("none", argv, none), ENOENT);
    make_file("plain", "no program");
    FAILS(execve("plain", argv, none), EACCES);
    WORKS(chmod("plain", 0755));
    FAILS(execve("plain", argv, none), ENOEXEC);
    make_file("elf", "\177ELF\002\001\001 and then nothing that makes sense");
    WORKS(chmod("elf", 0755));
    FAILS(execve("elf", argv, none), ENOEXEC);
    FAILS(execve(".", argv, none), EACCES);
    FAILS(execve("plain/x", argv, none), ENOTDIR);
}

TEST(process_exec_arguments_too_long)
{
    size_t size = 64 << 20;
    char *huge = map_pages(size / PAGE, PROT_READ | PROT_WRITE), *argv[] = {"x", huge, NULL},
         *none[] = {NULL};

    memset(huge, 'x', 200 * 1024);
    FAILS(execve("/bin/true", argv, none), E2BIG);
}

TEST(process_exec_arguments_and_environment)
{
    char output[300], *echo[] = {"/bin/echo", "", "two words", "\xff", NULL};
    char *env[] = {"/bin/env", NULL}, *environment[] = {"A=1", "EMPTY=", NULL}, *none[] = {NULL};

    EQUAL(capture(echo, none, output, sizeof output), 0);
    CHECK(strcmp(output, " two words \xff\n") == 0, "echo got other arguments: \"%s\"", output);
    if (access(env[0], X_OK) < 0)
        skip("/bin/env is missing");
    EQUAL(capture(env, environment, output, sizeof output), 0);
    CHECK(strcmp(output, "A=1\nEMPTY=\n") == 0, "env got another environment: \"%s\"", output);
}

TEST(process_exec_scripts)
{
    char output[300], *script[] = {"./script", "a", "b", NULL}, *none[] = {NULL};

    make_file("script", "#!/bin/echo one two\nnever read\n");
    WORKS(chmod("script", 0755));
    EQUAL(capture(script, none, output, sizeof output), 0);
    CHECK(strcmp(output, "one two ./script a b\n") == 0, "the #! line gave \"%s\"", output);
    make_file("script", "#!/none/such\n");
    FAILS(execve("./script", script, none), ENOENT);
}

TEST(process_exec_closes_and_resets)
{
    char output[64], *sh[] = {"/bin/sh", "-c", "echo x >&8; echo y >&9; echo done", NULL}, *none[] = {NULL};
    int ends[2], open_fds[2];

    WORKS(pipe(ends));
    EQUAL(dup2(ends[1], 8), 8);
    EQUAL(dup3(ends[1], 9, O_CLOEXEC), 9);
    WORKS(pipe2(open_fds, O_CLOEXEC));
    EQUAL(dup2(open_fds[1], STDERR_FILENO), STDERR_FILENO); /* the complaint about 9 */
    EQUAL(capture(sh, none, output, sizeof output), 0);
    memset(output, 0, sizeof output);
    WORKS(fcntl(ends[0], F_SETFL, O_NONBLOCK));
    EQUAL(read(ends[0], output, sizeof output), 2);
    CHECK(strcmp(output, "x\n") == 0, "through descriptors 8 and 9 (closed on exec) came \"%s\"", output);
}

TEST(process_auxiliary_vector)
{
    const unsigned char *random = (const unsigned char *)getauxval(AT_RANDOM);
    const Elf64_Phdr *headers = (const Elf64_Phdr *)getauxval(AT_PHDR);
    const char *name = (const char *)getauxval(AT_EXECFN);
    int loads = 0, different = 0;

    EQUAL(getauxval(AT_PAGESZ), PAGE);
    EQUAL(getauxval(AT_PHENT), sizeof(Elf64_Phdr));
    CHECK(headers && getauxval(AT_PHNUM) > 0, "AT_PHDR and AT_PHNUM are missing");
    for (size_t i = 0; i < getauxval(AT_PHNUM); i++)
        loads += headers[i].p_type == PT_LOAD;
    CHECK(loads > 0, "no PT_LOAD among the program headers at AT_PHDR");
    CHECK(getauxval(AT_ENTRY) != 0, "AT_ENTRY is 0");
    CHECK(random, "AT_RANDOM is missing");
    for (int i = 1; i < 16; i++)
        different += random[i] != random[0];
    CHECK(different, "the 16 bytes at AT_RANDOM are all %d", random[0]);
    CHECK(name && strstr(name, "selftest"), "AT_EXECFN is %s", name ? name : "missing");
    EQUAL(getauxval(AT_SECURE), 0);
}

TEST(process_spawn)
{
    char *argv[] = {"/bin/true", NULL}, *none[] = {NULL};
    pid_t child;

    EQUAL(posix_spawn(&child, argv[0], NULL, NULL, argv, none), 0);
    EQUAL(wait_for(child), 0);
    argv[0] = "/none";
    EQUAL(posix_spawn(&child, argv[0], NULL, NULL, argv, none), ENOENT);
}

TEST(process_popen)
{
    char line[32] = "";
    FILE *file = popen("echo from the shell; exit 4", "r");

    CHECK(file, "popen: %s", strerror(errno));
    CHECK(fgets(line, sizeof line, file) && strcmp(line, "from the shell\n") == 0, "popen read \"%s\"", line);
    EQUAL(pclose(file), 4 << 8);
}

/* Registers that the System V ABI preserves, and the vector registers, must survive a system call. */
TEST(process_system_calls_keep_registers)
{
    unsigned long in[2] = {0x1122334455667788, 0x99aabbccddeeff00}, out[2], rbx, r12, r15;

    __asm__ volatile("movdqu %5, %%xmm7\n\t"
                     "mov $0x1111, %%rbx\n\t"
                     "mov $0x2222, %%r12\n\t"
                     "mov $0x3333, %%r15\n\t"
                     "mov %6, %%eax\n\t"
                     "syscall\n\t"
                     "mov %%rbx, %1\n\t"
                     "mov %%r12, %2\n\t"
                     "mov %%r15, %3\n\t"
                     "movdqu %%xmm7, %0"
                     : "=m"(out), "=m"(rbx), "=m"(r12), "=m"(r15), "=m"(errno)
                     : "m"(in), "i"(SYS_sched_yield)
                     : "rax", "rbx", "rcx", "r11", "r12", "r15", "xmm7", "memory");
    EQUAL(rbx, 0x1111);
    EQUAL(r12, 0x2222);
    EQUAL(r15, 0x3333);
    CHECK(memcmp(in, out, sizeof in) == 0, "xmm7 was changed by a system call");
}
