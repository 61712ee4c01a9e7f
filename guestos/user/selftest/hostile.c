/*
 * Self-test: system calls with hostile arguments. Whatever a program passes, the kernel returns an error or,
 * where the call says so, succeeds; it neither hangs nor dies, and a bad pointer is -EFAULT.
 */
#define _GNU_SOURCE
#include "selftest.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define LAST_CALL 450
#define NOBODY    65534

/* Addresses and lengths that no correct program passes. The first three are filled in at run time. */
static long hostile[] = {
    0,                        /* [0] the first byte behind a mapping */
    0,                        /* [1] the last byte of it: what is there has no end */
    0,                        /* [2] a page that can only be read */
    0,                        /* NULL */
    1,                        /* in the page that is never mapped */
    0x7fffffffefff,           /* the last user address that Linux gives out */
    0x7ffffffff000,           /* the page behind: ending at it is fine, using it is not */
    0x7fffffffffff,           /* the last byte of the lower half */
    0x800000000000,           /* the first that is not canonical */
    (long)0x8000000000000000, /* not canonical; as a signed length, the most negative */
    (long)0xffff7fffffffffff, /* the last that is not canonical */
    (long)0xffff800000000000, /* the kernel's half begins */
    (long)0xffffffff80000000, /* where kernels are linked */
    (long)0xffffffffff600000, /* where Linux once had a page for all */
    -4096,
    -1,
    0x7fffffffffffffff,
    0x7fffffff,
    (long)0xffffffff00000003,
};
#define COUNT (sizeof hostile / sizeof *hostile)

static void prepare_addresses(void)
{
    char *edge = edge_of_mapping();

    memset(edge - PAGE, 'x', PAGE);
    hostile[0] = (long)edge;
    hostile[1] = (long)edge - 1;
    hostile[2] = (long)map_pages(1, PROT_READ);
}

/* --- every call, blindly --- */

static const struct {
    short number;
    const char *why;
} left_out[] = {
    {SYS_exit, "ends the caller, as it should"},
    {SYS_exit_group, "ends the caller, as it should"},
    {SYS_pause, "waits for a signal, as it should"},
    {SYS_select, "may rightly wait for ever"},
    {SYS_pselect6, "may rightly wait for ever"},
    {SYS_poll, "may rightly wait for ever; see hostile_pointers"},
    {SYS_ppoll, "may rightly wait for ever"},
    {SYS_futex, "may rightly wait for ever; see hostile_pointers"},
    {449 /* futex_waitv */, "may rightly wait for ever"},
    {SYS_msgrcv, "may rightly wait for ever"},
    {SYS_fork, "returns twice; see the tests of processes"},
    {SYS_vfork, "returns twice; see the tests of processes"},
    {SYS_clone, "returns twice; see hostile_clone"},
    {SYS_clone3, "returns twice"},
    {SYS_rt_sigreturn, "never returns; see the tests of faults"},
    {SYS_kill, "-1 rightly means every process"},
    {SYS_tkill, "may rightly end the caller"},
    {SYS_tgkill, "may rightly end the caller"},
    {SYS_rt_sigqueueinfo, "may rightly end the caller"},
    {SYS_rt_tgsigqueueinfo, "may rightly end the caller"},
    {SYS_sync, "has no arguments and takes long"},
    {SYS_reboot, "may rightly end the machine"},
};

/* Calls that can rightly take away what the caller stands on: its memory, or its right to make calls. */
static const short may_kill_caller[] = {
    335,
    336, /* Linux: SIGILL outside its probes */
    SYS_munmap,
    SYS_mprotect,
    SYS_mmap,
    SYS_mremap,
    SYS_arch_prctl,
    SYS_madvise,
    SYS_brk,
    SYS_seccomp,
    SYS_prctl,
    SYS_ptrace,
    SYS_setrlimit,
    SYS_alarm,
    SYS_rseq,
    SYS_remap_file_pages,
    SYS_shmat,
    SYS_setitimer,
    SYS_pkey_mprotect,
    SYS_timer_settime,
};

static bool is_left_out(long number)
{
    for (size_t i = 0; i < sizeof left_out / sizeof *left_out; i++)
        if (left_out[i].number == number)
            return true;
    return false;
}

static bool may_kill(long number)
{
    for (size_t i = 0; i < sizeof may_kill_caller / sizeof *may_kill_caller; i++)
        if (may_kill_caller[i] == number)
            return true;
    return false;
}

static void call(long number, long a, long b, long c, long d, long e, long f)
{
    long result = raw_syscall(number, a, b, c, d, e, f);

    CHECK(result >= 0 || result >= -4095 || result < -(1L << 62),
          "system call %ld(%#lx, %#lx, %#lx, ...) returns %#lx, which is neither a result nor -errno", number,
          a, b, c, result);
}

/* Nothing that this process does may hurt the machine when it is a Linux, or wait for input. */
static void give_up_power(void)
{
    struct rlimit small = {1 << 20, 1 << 20};
    int null = open("/dev/null", O_RDWR);

    for (int fd = 0; fd < 3; fd++)
        dup2(null, fd);
    if (!on_moss())
        unshare(CLONE_NEWIPC); /* message queues and the like would outlive the test */
    if (!on_moss() && (setrlimit(RLIMIT_FSIZE, &small) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
                       setresuid(NOBODY, NOBODY, NOBODY) < 0))
        FAIL("cannot give up root's power");
    signal(SIGXFSZ, SIG_IGN);
}

static void attack(long number)
{
    int file = open("target", O_RDWR);

    give_up_power();
    for (size_t i = 0; i < COUNT; i++) {
        long v = hostile[i];
        call(number, v, v, v, v, v, v);
        call(number, file, v, 4096, v, 4096, v);
        call(number, file, v, -1, -1, v, 0);
        call(number, AT_FDCWD, v, v, 0, 0, 0);
        call(number, v, 64, v, 8, v, v);
        call(number, 1, hostile[2], v, 1, v, v);
    }
    _exit(0);
}

/* Wait by counting naps, not seconds. Returns false if the child seems to hang. */
static bool ended_in_time(pid_t child, int *status)
{
    for (int naps = 0; naps < 30000; naps++) {
        if (waitpid(child, status, WNOHANG) == child)
            return true;
        naps < 100 ? usleep(100) : usleep(1000);
    }
    kill(child, SIGKILL);
    waitpid(child, status, 0);
    return false;
}

TEST(hostile_every_call)
{
    int status;

    prepare_addresses();
    make_file("target", "something to read");
    WORKS(chdir(".."));
    WORKS(chdir("hostile_every_call"));
    for (long number = 0; number <= LAST_CALL; number++) {
        if (is_left_out(number))
            continue;
        pid_t child = fork();
        WORKS(child);
        if (child == 0)
            attack(number);
        CHECK(ended_in_time(child, &status), "system call %ld hangs", number);
        if (WIFSIGNALED(status))
            CHECK(may_kill(number),
                  "system call %ld with hostile arguments kills its caller with signal %d (%s)", number,
                  WTERMSIG(status), strsignal(WTERMSIG(status)));
        else
            CHECK(WEXITSTATUS(status) == 0 || may_kill(number), "during system call %ld", number);
    }
}

/* --- bad pointers: exactly -EFAULT --- */

#define BAD      0x0badbadbadbadL /* stands for the hostile address */
#define NULL_OK  1                /* NULL means "not wanted" */
#define WRITTEN  2                /* the kernel writes there: memory that can only be read is bad, too */
#define BUFFER   4 /* transfers what it can before the bad part: an address half good is not bad */
#define MAY_LACK 8 /* a kernel for teaching may not have it */

static int data_file, new_file, directory, zero;

struct pointer_call {
    const char *name;
    long number;
    long args[4];
    int flags;
};

static void has_bad_pointer(const struct pointer_call *c, long address)
{
    long args[4], result;

    *(char *)hostile[1] = 'x'; /* an earlier call may have written there before it noticed */
    for (int i = 0; i < 4; i++)
        args[i] = c->args[i] == BAD ? address : c->args[i];
    result = raw_syscall(c->number, args[0], args[1], args[2], args[3], 0, 0);
    if (result == -ENOSYS && c->flags & MAY_LACK)
        return;
    CHECK(result == -EFAULT, "%s with the bad address %#lx returns %ld (%s), should be -EFAULT", c->name,
          address, result, strerror(-result));
}

static void try_bad_pointers(const struct pointer_call *c)
{
    static const int addresses[] = {0, 1, 2, 3, 4, 6, 8, 9, 10, 11, 12, 14};

    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        bool straddles = addresses[i] == 1, read_only = addresses[i] == 2, null = addresses[i] == 3;
        if ((straddles && c->flags & BUFFER) || (read_only && !(c->flags & WRITTEN)) ||
            (null && c->flags & NULL_OK))
            continue;
        has_bad_pointer(c, hostile[addresses[i]]);
    }
}

TEST(hostile_pointers)
{
    prepare_addresses();
    make_file("data", "0123456789");
    data_file = open("data", O_RDONLY);
    new_file = open("new", O_RDWR | O_CREAT, 0644);
    directory = open(".", O_RDONLY | O_DIRECTORY);
    zero = open("/dev/zero", O_RDONLY);
    long good = (long)map_pages(1, PROT_READ | PROT_WRITE);
    strcpy((char *)good, "data");
    const struct pointer_call calls[] = {
        {"read", SYS_read, {data_file, BAD, 10}, WRITTEN | BUFFER},
        {"read /dev/zero", SYS_read, {zero, BAD, 10}, WRITTEN | BUFFER},
        {"pread64", SYS_pread64, {data_file, BAD, 10, 0}, WRITTEN | BUFFER},
        {"write", SYS_write, {new_file, BAD, 10}, BUFFER},
        {"pwrite64", SYS_pwrite64, {new_file, BAD, 10, 0}, BUFFER},
        {"readv", SYS_readv, {data_file, BAD, 1}, 0},
        {"writev", SYS_writev, {new_file, BAD, 1}, 0},
        {"open", SYS_open, {BAD, O_RDONLY}, 0},
        {"openat", SYS_openat, {AT_FDCWD, BAD, O_RDONLY}, 0},
        {"stat, path", SYS_stat, {BAD, good}, 0},
        {"stat, buffer", SYS_stat, {good, BAD}, WRITTEN},
        {"fstat", SYS_fstat, {data_file, BAD}, WRITTEN},
        {"newfstatat", SYS_newfstatat, {AT_FDCWD, good, BAD, 0}, WRITTEN},
        {"access", SYS_access, {BAD, F_OK}, 0},
        {"mkdir", SYS_mkdir, {BAD, 0755}, 0},
        {"rmdir", SYS_rmdir, {BAD}, 0},
        {"unlink", SYS_unlink, {BAD}, 0},
        {"rename, from", SYS_rename, {BAD, good}, 0},
        {"rename, to", SYS_rename, {good, BAD}, 0},
        {"chdir", SYS_chdir, {BAD}, 0},
        {"getcwd", SYS_getcwd, {BAD, 4096}, WRITTEN},
        {"getdents64", SYS_getdents64, {directory, BAD, 4096}, WRITTEN},
        {"pipe", SYS_pipe, {BAD}, WRITTEN},
        {"pipe2", SYS_pipe2, {BAD, 0}, WRITTEN},
        {"poll", SYS_poll, {BAD, 1, 0}, WRITTEN},
        {"execve, path", SYS_execve, {BAD, 0, 0}, 0},
        {"execve, arguments", SYS_execve, {(long)"/bin/true", BAD, 0}, NULL_OK},
        {"execve, environment", SYS_execve, {(long)"/bin/true", 0, BAD}, NULL_OK},
        {"uname", SYS_uname, {BAD}, WRITTEN},
        {"sysinfo", SYS_sysinfo, {BAD}, WRITTEN},
        {"getrandom", SYS_getrandom, {BAD, 64, 0}, WRITTEN | BUFFER},
        {"clock_gettime", SYS_clock_gettime, {CLOCK_MONOTONIC, BAD}, WRITTEN},
        {"gettimeofday", SYS_gettimeofday, {BAD, 0}, WRITTEN | NULL_OK},
        {"nanosleep", SYS_nanosleep, {BAD, 0}, 0},
        {"rt_sigaction, new", SYS_rt_sigaction, {SIGUSR1, BAD, 0, 8}, NULL_OK},
        {"rt_sigaction, old", SYS_rt_sigaction, {SIGUSR1, 0, BAD, 8}, WRITTEN | NULL_OK},
        {"rt_sigprocmask, new", SYS_rt_sigprocmask, {SIG_BLOCK, BAD, 0, 8}, NULL_OK},
        {"rt_sigprocmask, old", SYS_rt_sigprocmask, {SIG_BLOCK, 0, BAD, 8}, WRITTEN | NULL_OK},
        {"prlimit64", SYS_prlimit64, {0, RLIMIT_STACK, 0, BAD}, WRITTEN | NULL_OK},
        {"getrusage", SYS_getrusage, {RUSAGE_SELF, BAD}, WRITTEN},
        {"utimensat", SYS_utimensat, {AT_FDCWD, BAD, 0, 0}, NULL_OK | MAY_LACK},
        {"statfs", SYS_statfs, {good, BAD}, WRITTEN | MAY_LACK},
        {"readlink", SYS_readlink, {BAD, good, 10}, MAY_LACK},
    };
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        try_bad_pointers(&calls[i]);
}

/* A futex's address must be a multiple of 4, so only some of the addresses can give -EFAULT. */
TEST(hostile_futex)
{
    prepare_addresses();
    for (size_t i = 0; i < COUNT; i++) {
        long result = raw_syscall(SYS_futex, hostile[i], 0, 1, 0, 0, 0);
        CHECK(result == -EFAULT || result == -EINVAL || (i == 2 && result == -EAGAIN),
              "waiting on the futex %#lx returns %ld", hostile[i], result);
        result = raw_syscall(SYS_futex, hostile[i], 1, 1, 0, 0, 0);
        CHECK(result <= 0 && result > -4095, "waking the futex %#lx returns %ld", hostile[i], result);
    }
}

TEST(hostile_terminal_pointers)
{
    int tty = open_terminal();

    prepare_addresses();
    const struct pointer_call calls[] = {
        {"TCGETS", SYS_ioctl, {tty, TCGETS, BAD}, WRITTEN},
        {"TCSETSW", SYS_ioctl, {tty, TCSETSW, BAD}, 0},
        {"TIOCGWINSZ", SYS_ioctl, {tty, TIOCGWINSZ, BAD}, WRITTEN},
        {"TIOCGPGRP", SYS_ioctl, {tty, TIOCGPGRP, BAD}, WRITTEN},
        {"write", SYS_write, {tty, BAD, 10}, BUFFER},
    };
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (raw_syscall(SYS_ioctl, tty, calls[i].args[1], (long)map_pages(1, PROT_READ | PROT_WRITE), 0, 0,
                        0) != -ENOTTY)
            try_bad_pointers(&calls[i]);
}

/* It goes when nobody stands in it any more, and what came into it would be left with a parent that is gone.
 */
TEST(hostile_removed_directory)
{
    char here[256], gone[300], directory[300], file[300];

    CHECK(getcwd(here, sizeof here) != NULL, "getcwd: %s", strerror(errno));
    snprintf(gone, sizeof gone, "%s/gone", here);
    snprintf(directory, sizeof directory, "%s/directory", here);
    snprintf(file, sizeof file, "%s/file", here);
    WORKS(mkdir(gone, 0755));
    WORKS(mkdir(directory, 0755));
    make_file(file, "content");
    WORKS(chdir(gone));
    WORKS(rmdir(gone));
    FAILS(rename(directory, "x"), ENOENT);
    FAILS(rename(file, "x"), ENOENT);
    FAILS(link(file, "x"), ENOENT);
    FAILS(symlink(file, "x"), ENOENT);
    FAILS(mkdir("x", 0755), ENOENT);
    FAILS(open("x", O_CREAT | O_WRONLY, 0644), ENOENT);
    WORKS(chdir(directory));
    WORKS(chdir(".."));
    WORKS(unlink(file));
}

/* vfork's child shares the memory; with a stack that is no memory it must die alone. */
TEST(hostile_clone)
{
    prepare_addresses();
    for (size_t i = 0; i < COUNT; i++) {
        long child;
        register long r10 __asm__("r10") = 0;
        if (hostile[i] == 0)
            continue;
        __asm__ volatile("syscall\n\t"
                         "test %%rax, %%rax\n\t"
                         "jnz 1f\n\t"
                         "push %%rax\n\t" /* the child, on the hostile stack */
                         "mov $60, %%eax\n\t"
                         "mov $9, %%edi\n\t"
                         "syscall\n"
                         "1:"
                         : "=a"(child)
                         : "a"(SYS_clone), "D"((long)SIGCHLD), "S"(hostile[i]), "d"(0L), "r"(r10)
                         : "rcx", "r11", "memory");
        CHECK(child >= -4095, "clone returns %ld", child);
        if (child > 0)
            wait_for(child);
    }
}
