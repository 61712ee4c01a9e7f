/* Self-test: calls that programs compiled for Linux make besides the most common ones. */
#define _GNU_SOURCE
#include "selftest.h"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

static void needs(long number)
{
    if (raw_syscall(number, -1, -1, -1, -1, -1, -1) == -ENOSYS)
        skip("the call is not there");
}

/* Pages that hold their own number. */
static char *numbered_pages(size_t pages)
{
    char *at = map_pages(pages, PROT_READ | PROT_WRITE);

    for (size_t i = 0; i < pages; i++)
        at[i * PAGE] = i + 1;
    return at;
}

static void check_numbers(const char *at, size_t pages)
{
    for (size_t i = 0; i < pages; i++)
        EQUAL(at[i * PAGE], i + 1);
}

TEST(memory_remap)
{
    needs(SYS_mremap);
    char *at = numbered_pages(8);
    EQUAL(mremap(at, 8 * PAGE, 4 * PAGE, 0), at);
    check_numbers(at, 4);
    WORKS(mprotect(at + 3 * PAGE, PAGE, PROT_READ)); /* two mappings now */
    EQUAL(raw_syscall(SYS_mremap, (long)at, 4 * PAGE, 9 * PAGE, MREMAP_MAYMOVE, 0, 0), -EFAULT);
    char *low = numbered_pages(3), *blocked = map_pages(1, PROT_READ);
    low = mremap(low, 3 * PAGE, 1000 * PAGE, MREMAP_MAYMOVE);
    CHECK(low != MAP_FAILED, "mremap to 1000 pages: %s", strerror(errno));
    check_numbers(low, 3);
    low[999 * PAGE] = 7;
    EQUAL(low[998 * PAGE], 0);
    char *moved = mremap(low, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, blocked);
    EQUAL(moved, blocked);
    check_numbers(moved, 2);
}

TEST(memory_remap_errors)
{
    needs(SYS_mremap);
    char *at = numbered_pages(2);
    EQUAL(raw_syscall(SYS_mremap, (long)at + 1, PAGE, PAGE, 0, 0, 0), -EINVAL);
    EQUAL(raw_syscall(SYS_mremap, (long)at, PAGE, 0, 0, 0, 0), -EINVAL);
    EQUAL(raw_syscall(SYS_mremap, (long)at, PAGE, PAGE, 0x100, 0, 0), -EINVAL);
    EQUAL(raw_syscall(SYS_mremap, (long)at, PAGE, PAGE, MREMAP_FIXED, (long)at, 0), -EINVAL);
    EQUAL(raw_syscall(SYS_mremap, 0xffff800000000000, PAGE, PAGE, MREMAP_MAYMOVE, 0, 0), -EFAULT);
    EQUAL(raw_syscall(SYS_mremap, (long)at, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
                      0xffff800000000000, 0),
          -EINVAL);
    check_numbers(at, 2);
}

TEST(memory_remap_and_fork)
{
    needs(SYS_mremap);
    char *at = numbered_pages(4);
    pid_t child = fork();

    WORKS(child);
    if (child == 0) {
        char *moved = mremap(at, 4 * PAGE, 600 * PAGE, MREMAP_MAYMOVE);
        CHECK(moved != MAP_FAILED, "mremap: %s", strerror(errno));
        check_numbers(moved, 4);
        memset(moved, 9, 4 * PAGE);
        _exit(0);
    }
    EQUAL(wait_for(child), 0);
    check_numbers(at, 4); /* the child wrote to its own copy */
}

TEST(memory_sync_and_lock)
{
    needs(SYS_msync);
    char *at = numbered_pages(2);
    WORKS(msync(at, 2 * PAGE, MS_SYNC));
    EQUAL(raw_syscall(SYS_msync, (long)at, PAGE, MS_SYNC | MS_ASYNC, 0, 0, 0), -EINVAL);
    WORKS(munmap(at, 2 * PAGE));
    EQUAL(raw_syscall(SYS_msync, (long)at, 2 * PAGE, MS_SYNC, 0, 0, 0), -ENOMEM);
    EQUAL(raw_syscall(SYS_mlock, 0xffff800000000000, PAGE, 0, 0, 0, 0), -ENOMEM);
}

TEST(system_select)
{
    struct timeval soon = {0, 10000};
    int ends[2];
    fd_set in, out;

    needs(SYS_select);
    WORKS(pipe(ends));
    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_SET(ends[0], &in);
    FD_SET(ends[1], &out);
    EQUAL(select(ends[1] + 1, &in, &out, NULL, NULL), 1);
    CHECK(!FD_ISSET(ends[0], &in) && FD_ISSET(ends[1], &out), "only the writing end is ready");
    FD_SET(ends[0], &in);
    EQUAL(select(ends[0] + 1, &in, NULL, NULL, &soon), 0);
    CHECK(!FD_ISSET(ends[0], &in), "nothing is there to read");
    EQUAL(write(ends[1], "x", 1), 1);
    FD_SET(ends[0], &in);
    EQUAL(select(ends[0] + 1, &in, NULL, NULL, NULL), 1);
    CHECK(FD_ISSET(ends[0], &in), "a byte is there to read");
    FD_SET(200, &in);
    FAILS(select(201, &in, NULL, NULL, NULL), EBADF);
    EQUAL(raw_syscall(SYS_select, -1, 0, 0, 0, 0, 0), -EINVAL);
    EQUAL(raw_syscall(SYS_select, 8, 1, 0, 0, 0, 0), -EFAULT);
}

TEST(files_owners)
{
    struct stat stat_;

    needs(SYS_chown);
    make_file("f", "x");
    WORKS(symlink("f", "l"));
    WORKS(stat("f", &stat_));
    WORKS(chown("f", stat_.st_uid, stat_.st_gid));
    WORKS(lchown("l", -1, -1));
    FAILS(chown("nothing", 0, 0), ENOENT);
    if (!on_moss())
        skip("the rest needs root");
    WORKS(chown("f", 5, 6));
    WORKS(stat("f", &stat_));
    EQUAL(stat_.st_uid, 5);
    EQUAL(stat_.st_gid, 6);
}

TEST(files_times_in_microseconds)
{
    struct timeval times[2] = {{1000000000, 250000}, {1100000000, 500000}};
    struct stat stat_;

    needs(SYS_utimes);
    make_file("f", "x");
    EQUAL(raw_syscall(SYS_utimes, (long)"f", (long)times, 0, 0, 0, 0), 0);
    WORKS(stat("f", &stat_));
    EQUAL(stat_.st_atim.tv_sec, 1000000000);
    EQUAL(stat_.st_mtim.tv_nsec, 500000000);
    times[0].tv_usec = 1000000;
    EQUAL(raw_syscall(SYS_utimes, (long)"f", (long)times, 0, 0, 0, 0), -EINVAL);
}

TEST(files_statx)
{
    unsigned char box[256 + 8];
    struct stat stat_;
    uint64_t value;

    needs(SYS_statx);
    make_file("f", "hello");
    WORKS(stat("f", &stat_));
    memset(box, 0x5a, sizeof box);
    EQUAL(raw_syscall(SYS_statx, AT_FDCWD, (long)"f", 0, 0x7ff, (long)box, 0), 0);
    memcpy(&value, box + 40, 8); /* stx_size */
    EQUAL(value, 5);
    memcpy(&value, box + 32, 8); /* stx_ino */
    EQUAL(value, stat_.st_ino);
    EQUAL(box[256], 0x5a);
    EQUAL(raw_syscall(SYS_statx, AT_FDCWD, (long)"f", 0, 0x80000000, (long)box, 0), -EINVAL);
    EQUAL(raw_syscall(SYS_statx, AT_FDCWD, (long)"f", 0, 0x7ff, 1, 0), -EFAULT);
}

TEST(files_vectors_at_a_place)
{
    char a[3] = {0}, b[3] = {0};
    struct iovec pieces[2] = {{a, 2}, {b, 2}};

    needs(SYS_preadv);
    make_file("f", "0123456789");
    int fd = open("f", O_RDWR);
    EQUAL(preadv(fd, pieces, 2, 3), 4);
    CHECK(strcmp(a, "34") == 0 && strcmp(b, "56") == 0, "preadv reads %s and %s", a, b);
    EQUAL(pwritev(fd, pieces, 2, 8), 4);
    EQUAL(lseek(fd, 0, SEEK_CUR), 0);
    EQUAL(lseek(fd, 0, SEEK_END), 12);
    FAILS(preadv(fd, pieces, 2, -1), EINVAL);
}

TEST(files_close_many)
{
    needs(SYS_close_range);
    int first = dup(0), second = dup(0);
    EQUAL(raw_syscall(SYS_close_range, first, second, 0, 0, 0, 0), 0);
    FAILS(fcntl(first, F_GETFD), EBADF);
    FAILS(fcntl(second, F_GETFD), EBADF);
    EQUAL(raw_syscall(SYS_close_range, 9, 5, 0, 0, 0, 0), -EINVAL);
}

TEST(system_users)
{
    gid_t groups[64];
    uid_t real, effective, saved;

    needs(SYS_getgroups);
    WORKS(getgroups(64, groups));
    WORKS(getresuid(&real, &effective, &saved));
    WORKS(setuid(getuid()));
    WORKS(setresgid(-1, -1, -1));
    EQUAL(raw_syscall(SYS_getgroups, -1, 0, 0, 0, 0, 0), -EINVAL);
}

TEST(system_scheduling)
{
    unsigned long set[16] = {0};
    char name[16];

    needs(SYS_sched_getaffinity);
    long size = raw_syscall(SYS_sched_getaffinity, 0, sizeof set, (long)set, 0, 0, 0);
    CHECK(size >= 8 && size <= (long)sizeof set && set[0], "sched_getaffinity gives %ld, set %#lx", size,
          set[0]);
    EQUAL(getpriority(PRIO_PROCESS, 0), 0);
    FAILS(getpriority(99, 0), EINVAL);
    EQUAL(raw_syscall(SYS_sched_getscheduler, 0, 0, 0, 0, 0, 0), SCHED_OTHER);
    WORKS(prctl(PR_SET_NAME, "a name that is too long"));
    WORKS(prctl(PR_GET_NAME, name));
    CHECK(strcmp(name, "a name that is ") == 0, "the name is %s", name);
}

TEST(system_processor_offers_what_is_saved)
{
    unsigned a, b, c, d;

    if (!on_moss())
        skip("Linux saves AVX");
    __asm__ volatile("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(1), "c"(0));
    EQUAL(c >> 27 & 1, 0); /* OSXSAVE: without it, programs must not use AVX (Intel SDM 1 §14.3) */
}

TEST(system_proc_self)
{
    char path[300];

    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    CHECK(n > 0, "readlink /proc/self/exe: %s", strerror(errno));
    path[n] = '\0';
    WORKS(access(path, X_OK));
    n = readlink("/proc/self/exe", path, 3);
    EQUAL(n, 3);
}
