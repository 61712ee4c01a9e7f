/* Self-test: what processes use comes back, and using too much hurts only the one that does. */
#define _GNU_SOURCE
#include "selftest.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static unsigned long free_pages(void)
{
    struct sysinfo info;

    WORKS(sysinfo(&info));
    return info.freeram * info.mem_unit / PAGE;
}

static void run_true(void)
{
    execl("/bin/true", "true", NULL);
    _exit(99);
}

static void use_memory(void)
{
    memset(map_pages(500, PROT_READ | PROT_WRITE), 1, 500 * PAGE);
}

static void use_pipes_and_files(void)
{
    static char block[65536];
    int ends[2], fd = open("large", O_RDWR | O_CREAT, 0644);

    for (int i = 0; i < 8; i++) {
        WORKS(pipe2(ends, O_NONBLOCK));
        WORKS(write(ends[1], block, sizeof block));
        EQUAL(write(fd, block, sizeof block), sizeof block);
    }
    WORKS(unlink("large"));
}

static void die_of_a_signal(void)
{
    memset(map_pages(10, PROT_READ | PROT_WRITE), 1, 10 * PAGE);
    raise(SIGKILL);
}

static void fork_and_leave(void)
{
    if (fork() == 0)
        usleep(1000); /* ends as init's child */
}

/* Do it often; afterwards as many frames are free as before. Linux's count moves by itself, so only Moss is
 * held to it. */
static void gives_all_back(void (*body)(void), int times, const char *what)
{
    unsigned long before, after;

    for (int i = 0; i < 5; i++) /* what is allocated once and kept */
        run_in_child(body);
    usleep(50000);
    before = free_pages();
    for (int i = 0; i < times; i++)
        run_in_child(body);
    after = free_pages();
    for (int i = 0; i < 50 && after != before; i++) { /* orphans may still be ending */
        usleep(10000);
        after = free_pages();
    }
    if (on_moss())
        CHECK(before == after, "%d times %s: %lu frames were free before, %lu after", times, what, before,
              after);
}

TEST(resources_come_back)
{
    gives_all_back(run_true, 100, "fork, exec, exit, wait");
    gives_all_back(use_memory, 20, "500 pages used");
    gives_all_back(use_pipes_and_files, 10, "pipes and files used");
    gives_all_back(die_of_a_signal, 20, "killed by a signal");
    gives_all_back(fork_and_leave, 20, "an orphan left behind");
}

static int alarm_pipe[2];

static void multiply(void)
{
    setpgid(0, 0);
    while (fork() >= 0)
        ;
    if (write(alarm_pipe[1], "!", 1)) {
    }
    for (;;)
        pause();
}

TEST(resources_fork_bomb)
{
    char c;

    if (!on_moss())
        skip("it would take all processes of the host");
    WORKS(pipe(alarm_pipe));
    unsigned long before = free_pages(), after = 0;
    pid_t bomb = fork();
    WORKS(bomb);
    if (bomb == 0)
        multiply();
    EQUAL(read(alarm_pipe[0], &c, 1), 1);
    for (int i = 0; i < 1000 && kill(-bomb, SIGKILL) == 0; i++)
        usleep(1000);
    wait_for(bomb);
    for (int i = 0; i < 500 && after + 8 < before; i++) {
        usleep(10000);
        after = free_pages();
    }
    CHECK(after + 8 >= before, "%lu frames were free before the fork bomb, %lu after", before, after);
    EQUAL(run_in_child(run_true), 0);
}

static void eat_memory(void)
{
    struct rlimit limit = {256 << 20, 256 << 20};
    size_t pages = 1024;
    char *piece;

    if (!on_moss())
        setrlimit(RLIMIT_AS, &limit);
    while ((piece = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) !=
           MAP_FAILED)
        memset(piece, 1, pages * PAGE);
    EQUAL(errno, ENOMEM);
}

TEST(resources_memory_hog)
{
    unsigned long before = free_pages(), after = 0;
    int status = run_in_child(eat_memory);

    CHECK(status == 0 || (WIFSIGNALED(status) && (WTERMSIG(status) == SIGKILL ||
                                                  WTERMSIG(status) == SIGSEGV || WTERMSIG(status) == SIGBUS)),
          "who takes all memory gets ENOMEM or is killed; this wait status is %#x", status);
    for (int i = 0; i < 200 && after + 64 < before; i++) {
        after = free_pages();
        usleep(5000);
    }
    if (on_moss())
        CHECK(after + 64 >= before, "%lu frames were free before, %lu after the hog has died", before, after);
    EQUAL(run_in_child(run_true), 0);
}

TEST(resources_descriptors_run_out)
{
    struct rlimit limit = {128, 128};
    int ends[2], count = 0, last = -1, fd;

    setrlimit(RLIMIT_NOFILE, &limit); /* may be fixed */
    while ((fd = open("/dev/null", O_RDONLY)) >= 0) {
        last = fd;
        count++;
    }
    EQUAL(errno, EMFILE);
    CHECK(count >= 10, "only %d files could be opened", count);
    FAILS(pipe(ends), EMFILE);
    FAILS(dup(last), EMFILE);
    WORKS(close(last));
    FAILS(pipe(ends), EMFILE); /* needs two */
    EQUAL(dup(0), last);
}

/* A byte that depends on its place, so that any loss or mix-up shows. */
static unsigned char byte_at(size_t position)
{
    return position * 31 + (position >> 12);
}

static void write_a_mebibyte(int fd)
{
    static unsigned char block[7001];
    size_t position = 0;

    while (position < 1 << 20) {
        size_t size = 1 + position % sizeof block;
        if (size > (1 << 20) - position)
            size = (1 << 20) - position;
        for (size_t i = 0; i < size; i++)
            block[i] = byte_at(position + i);
        EQUAL(write(fd, block, size), size);
        position += size;
    }
}

TEST(resources_pipe_carries_a_mebibyte)
{
    unsigned char block[3000];
    size_t position = 0;
    int ends[2];
    ssize_t n;

    WORKS(pipe(ends));
    pid_t child = fork();
    WORKS(child);
    if (child == 0) {
        write_a_mebibyte(ends[1]);
        _exit(0);
    }
    close(ends[1]);
    while ((n = read(ends[0], block, sizeof block)) > 0)
        for (ssize_t i = 0; i < n; i++, position++)
            CHECK(block[i] == byte_at(position), "byte %zu is %d, should be %d", position, block[i],
                  byte_at(position));
    EQUAL(n, 0);
    EQUAL(position, 1 << 20);
    EQUAL(wait_for(child), 0);
}

TEST(resources_many_children)
{
    int ends[2], started = 0, sum = 0, status;
    char c;

    WORKS(pipe(ends));
    for (; started < 64; started++) {
        pid_t child = fork();
        if (child < 0)
            break;
        if (child == 0) {
            close(ends[1]);
            _exit(read(ends[0], &c, 1) == 0 ? started : 255);
        }
    }
    EQUAL(started, 64);
    close(ends[1]); /* all at once */
    for (int i = 0; i < started; i++) {
        WORKS(wait(&status));
        sum += WEXITSTATUS(status);
    }
    EQUAL(sum, 63 * 64 / 2);
    FAILS(wait(&status), ECHILD);
}

static bool time_is_up(const struct timespec *start, long milliseconds)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - start->tv_sec) * 1000 + (now.tv_nsec - start->tv_nsec) / 1000000 >= milliseconds;
}

/* Keep a value in all 16 vector registers and the x87 stack while others compute, too. */
static void compute_with(uint64_t value)
{
    uint64_t in[2] = {value, ~value}, out[2];
    struct timespec start;
    double back;

    clock_gettime(CLOCK_MONOTONIC, &start);
    while (!time_is_up(&start, 300)) {
        double number = value;
        __asm__ volatile("movdqu %2, %%xmm0\n\tmovdqa %%xmm0, %%xmm8\n\tmovdqa %%xmm0, %%xmm15\n\t"
                         "fldl %3\n\t"
                         "mov $300000, %%ecx\n"
                         "1:\tpaddq %%xmm0, %%xmm8\n\tpsubq %%xmm0, %%xmm8\n\t"
                         "dec %%ecx\n\tjnz 1b\n\t"
                         "fstpl %1\n\t"
                         "pxor %%xmm8, %%xmm0\n\tpxor %%xmm15, %%xmm0\n\t" /* one of an odd number is left */
                         "movdqu %%xmm0, %0"
                         : "=m"(out), "=m"(back)
                         : "m"(in), "m"(number)
                         : "rcx", "xmm0", "xmm8", "xmm15", "cc");
        CHECK(memcmp(in, out, sizeof in) == 0, "vector registers of process %d changed under it", (int)value);
        CHECK(back == number, "the x87 stack of process %d changed under it", (int)value);
    }
}

TEST(resources_vector_registers_are_private)
{
    pid_t children[4];

    for (int i = 0; i < 4; i++) {
        children[i] = fork();
        WORKS(children[i]);
        if (children[i] == 0) {
            compute_with(i + 1);
            _exit(0);
        }
    }
    for (int i = 0; i < 4; i++)
        EQUAL(wait_for(children[i]), 0);
}

static void spin(long rounds)
{
    for (volatile long i = 0; i != rounds; i++)
        ;
}

TEST(resources_busy_processes_share_the_processor)
{
    pid_t forever[4], two[2];

    for (int i = 0; i < 4; i++)
        if ((forever[i] = fork()) == 0)
            spin(-1);
    for (int i = 0; i < 2; i++)
        if ((two[i] = fork()) == 0) {
            spin(3000000);
            _exit(0);
        }
    for (int i = 0; i < 2; i++) /* they end only if those that never make a system call are interrupted */
        EQUAL(wait_for(two[i]), 0);
    for (int i = 0; i < 4; i++) {
        WORKS(kill(forever[i], SIGKILL));
        wait_for(forever[i]);
    }
}
