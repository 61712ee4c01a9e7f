/* Self-test: time, waiting, and the small calls by which a program asks about the system. */
#define _GNU_SOURCE
#include "selftest.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/utsname.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define FUTEX_WAIT 0 /* from linux/futex.h, which musl does not bring */
#define FUTEX_WAKE 1

static int64_t now(clockid_t clock)
{
    struct timespec time;

    WORKS(clock_gettime(clock, &time));
    CHECK(time.tv_nsec >= 0 && time.tv_nsec < 1000000000, "clock %d: %ld nanoseconds", clock, time.tv_nsec);
    return time.tv_sec * 1000000000ll + time.tv_nsec;
}

TEST(system_clocks_only_go_forward)
{
    int64_t before = now(CLOCK_MONOTONIC);
    struct timeval day;

    for (int i = 0; i < 2000; i++) {
        int64_t after = now(CLOCK_MONOTONIC);
        CHECK(after >= before, "the monotonic clock went back by %lld ns", (long long)(before - after));
        before = after;
    }
    EQUAL(raw_syscall(SYS_clock_gettime, 99, (long)&day, 0, 0, 0, 0), -EINVAL);
    WORKS(gettimeofday(&day, NULL));
    CHECK(llabs(day.tv_sec - now(CLOCK_REALTIME) / 1000000000) <= 60,
          "gettimeofday and CLOCK_REALTIME differ");
}

TEST(system_sleep_is_not_too_short)
{
    struct timespec half = {0, 50000000}, wrong = {0, 1000000000};
    int64_t before = now(CLOCK_MONOTONIC);

    WORKS(nanosleep(&half, NULL));
    int64_t slept = now(CLOCK_MONOTONIC) - before;
    CHECK(slept >= 50000000, "50 ms of sleep took %lld ns", (long long)slept);
    EQUAL(raw_syscall(SYS_nanosleep, (long)&wrong, 0, 0, 0, 0, 0), -EINVAL);
    EQUAL(raw_syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, (long)&wrong, 0, 0, 0), -EINVAL);
}

TEST(system_uname)
{
    struct {
        struct utsname name;
        char guard[16];
    } box;

    memset(&box, 0x5a, sizeof box);
    EQUAL(sizeof box.name, 6 * 65);
    WORKS(uname(&box.name));
    CHECK(strcmp(box.name.machine, "x86_64") == 0, "the machine is %s", box.name.machine);
    CHECK(box.name.sysname[0] && box.name.nodename[0] && box.name.release[0], "a name of uname is empty");
    EQUAL(box.guard[0], 0x5a);
}

TEST(system_sysinfo)
{
    struct {
        struct sysinfo info;
        char guard[16];
    } box;

    memset(&box, 0x5a, sizeof box);
    EQUAL(raw_syscall(SYS_sysinfo, (long)&box, 0, 0, 0, 0, 0), 0);
    CHECK(box.info.mem_unit > 0, "mem_unit is 0");
    CHECK(box.info.totalram > 0 && box.info.freeram > 0 && box.info.freeram <= box.info.totalram,
          "%lu units of RAM are free of %lu", box.info.freeram, box.info.totalram);
    CHECK(box.info.procs >= 2, "%d processes, but there are at least two", box.info.procs);
    unsigned char *end =
        (unsigned char *)&box + 112; /* the kernel's structure; musl's has spare room behind it */
    EQUAL(*end, 0x5a);
}

TEST(system_random)
{
    unsigned char a[32] = {0}, b[32] = {0};

    EQUAL(getrandom(a, sizeof a, 0), sizeof a);
    EQUAL(getrandom(b, sizeof b, 0), sizeof b);
    CHECK(memcmp(a, b, sizeof a) != 0, "getrandom gives the same 32 bytes twice");
    EQUAL(raw_syscall(SYS_getrandom, (long)a, 1, 0xff00, 0, 0, 0), -EINVAL);
}

TEST(system_futex)
{
    int word = 5;
    struct timespec soon = {0, 1000000};

    EQUAL(raw_syscall(SYS_futex, (long)&word, FUTEX_WAIT, 4, 0, 0, 0), -EAGAIN);
    EQUAL(raw_syscall(SYS_futex, (long)&word, FUTEX_WAKE, 1, 0, 0, 0), 0);
    EQUAL(raw_syscall(SYS_futex, (long)&word, FUTEX_WAIT, 5, (long)&soon, 0, 0), -ETIMEDOUT);
    EQUAL(raw_syscall(SYS_futex, (long)&word + 1, FUTEX_WAIT, 5, 0, 0, 0), -EINVAL);
}

TEST(system_limits)
{
    struct rlimit limit;
    struct rusage usage;
    struct tms times_;

    WORKS(getrlimit(RLIMIT_STACK, &limit));
    CHECK(limit.rlim_cur >= 64 * 1024, "the stack may have %lu bytes", (unsigned long)limit.rlim_cur);
    WORKS(getrlimit(RLIMIT_NOFILE, &limit));
    CHECK(limit.rlim_cur >= 16 && limit.rlim_cur <= limit.rlim_max, "limits of open files: %lu and %lu",
          (unsigned long)limit.rlim_cur, (unsigned long)limit.rlim_max);
    EQUAL(raw_syscall(SYS_prlimit64, 0, 99, 0, (long)&limit, 0, 0), -EINVAL);
    WORKS(getrusage(RUSAGE_SELF, &usage));
    EQUAL(raw_syscall(SYS_getrusage, 99, (long)&usage, 0, 0, 0, 0), -EINVAL);
    if (times(&times_) == (clock_t)-1 && errno == ENOSYS)
        skip("times is not there; the rest passed");
}

TEST(system_poll)
{
    struct pollfd fds[3] = {{.events = POLLIN}, {.events = POLLOUT}, {.fd = -1, .events = POLLIN}};
    int ends[2];

    WORKS(pipe(ends));
    fds[0].fd = ends[0];
    fds[1].fd = ends[1];
    EQUAL(poll(fds, 1, 0), 0);
    EQUAL(poll(fds, 1, 10), 0);
    EQUAL(poll(fds, 3, 0), 1);
    EQUAL(fds[1].revents, POLLOUT);
    EQUAL(fds[2].revents, 0);
    EQUAL(write(ends[1], "x", 1), 1);
    EQUAL(poll(fds, 3, -1), 2);
    EQUAL(fds[0].revents, POLLIN);
    close(ends[1]);
    EQUAL(poll(fds, 2, 0), 2);
    EQUAL(fds[0].revents, POLLIN | POLLHUP);
    EQUAL(fds[1].revents, POLLNVAL);
}

TEST(system_terminal)
{
    struct termios modes, raw;
    struct winsize window;
    int null = open("/dev/null", O_RDWR);

    FAILS(tcgetattr(null, &modes), ENOTTY);
    FAILS(ioctl(99, TCGETS, &modes), EBADF);
    int tty = open_terminal();
    WORKS(tcgetattr(tty, &modes));
    CHECK(modes.c_lflag & ICANON && modes.c_lflag & ISIG && modes.c_iflag & ICRNL && modes.c_oflag & OPOST,
          "the terminal's modes are iflag %o oflag %o lflag %o: not cooked", modes.c_iflag, modes.c_oflag,
          modes.c_lflag);
    EQUAL(modes.c_cc[VINTR], 3);
    EQUAL(modes.c_cc[VEOF], 4);
    raw = modes;
    raw.c_lflag &= ~(ICANON | ECHO);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    signal(SIGTTOU, SIG_IGN);
    WORKS(tcsetattr(tty, TCSADRAIN, &raw));
    WORKS(tcgetattr(tty, &raw));
    WORKS(tcsetattr(tty, TCSADRAIN, &modes));
    EQUAL(raw.c_lflag & (ICANON | ECHO), 0);
    WORKS(ioctl(tty, TIOCGWINSZ, &window));
}

TEST(system_unknown_calls)
{
    EQUAL(raw_syscall(9999, 0, 0, 0, 0, 0, 0), -ENOSYS);
    EQUAL(raw_syscall(-1, 0, 0, 0, 0, 0, 0), -ENOSYS);
    EQUAL(raw_syscall(0x7fffffff, 0, 0, 0, 0, 0, 0), -ENOSYS);
    EQUAL(raw_syscall(450000, 0, 0, 0, 0, 0, 0), -ENOSYS);
}
