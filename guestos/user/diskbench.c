/* diskbench: how fast is a disk? Reads and, with -w, overwrites it from end to end, then reads (and
 * overwrites) 4 KiB at random places. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "user.h"

#define BLKFLSBUF    0x1261 /* <linux/fs.h>: forget what is cached */
#define BLKGETSIZE64 0x80081272
#define CHUNK        (1 << 20)
#define BLOCK        4096
#define BLOCKS       4096 /* that are read or written at random places, by all readers together */
#define READERS_MAX  32

static const char *path;
static uint64_t size;
static char buffer[CHUNK];

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void fail(const char *what)
{
    fprintf(stderr, "diskbench: cannot %s %s: %s\n", what, path, strerror(errno));
    exit(1);
}

/* Open the disk anew, with nothing of it in the cache. */
static int open_cold(int flags)
{
    int fd = open(path, flags);

    if (fd < 0 || ioctl(fd, BLKFLSBUF, 0) < 0)
        fail("open");
    return fd;
}

/* Read or write all of it in order. Returns MB/s. */
static double in_order(bool write_it)
{
    int fd = open_cold(write_it ? O_RDWR : O_RDONLY);
    double start = now();

    for (uint64_t at = 0; at < size; at += CHUNK) {
        ssize_t want = (ssize_t)(size - at < CHUNK ? size - at : CHUNK);
        if ((write_it ? write(fd, buffer, (size_t)want) : read(fd, buffer, (size_t)want)) != want)
            fail(write_it ? "write" : "read");
    }
    if (write_it && fsync(fd) < 0)
        fail("sync");
    double took = now() - start;
    close(fd);
    return (double)size / 1e6 / took;
}

/* Where the next block lies that a sequence of random numbers names. */
static off_t random_place(unsigned *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return (off_t)((*seed >> 4) % (size / BLOCK)) * BLOCK;
}

static void read_blocks(int fd, unsigned seed, unsigned count)
{
    while (count-- > 0)
        if (pread(fd, buffer, BLOCK, random_place(&seed)) != BLOCK)
            fail("read");
}

/* Overwrite at random places, and have all of it durable at the end. Returns writes per second. */
static double overwrite_at_random(void)
{
    int fd = open_cold(O_RDWR);
    double start = now();
    unsigned seed = 1;

    for (unsigned i = 0; i < BLOCKS; i++)
        if (pwrite(fd, buffer, BLOCK, random_place(&seed)) != BLOCK)
            fail("write");
    if (fsync(fd) < 0)
        fail("sync");
    double took = now() - start;
    close(fd);
    return BLOCKS / took;
}

/* Read at random places with so many readers at once. Returns reads per second. */
static double at_random(unsigned readers)
{
    int fd = open_cold(O_RDONLY), status, failed = 0;
    double start = now();

    for (unsigned i = 0; i < readers; i++) {
        pid_t child = fork();
        if (child < 0)
            fail("start a reader of");
        if (child == 0) {
            read_blocks(fd, i * 7919 + readers, BLOCKS / readers);
            _exit(0);
        }
    }
    while (wait(&status) > 0)
        failed |= status;
    if (failed)
        exit(1);
    double took = now() - start;
    close(fd);
    return BLOCKS / took;
}

static void find_size(void)
{
    int fd = open(path, O_RDONLY);

    if (fd < 0 || ioctl(fd, BLKGETSIZE64, &size) < 0 || size < CHUNK)
        fail("find the size (1 MiB at least) of");
    close(fd);
}

static void measure_all(bool write_it)
{
    if (write_it)
        printf("sequential-write %.1f MB/s\n", in_order(true));
    printf("sequential-read %.1f MB/s\n", in_order(false));
    printf("random-read-1 %.0f IOPS\n", at_random(1));
    printf("random-read-32 %.0f IOPS\n", at_random(READERS_MAX));
    if (write_it)
        printf("random-write %.0f IOPS\n", overwrite_at_random());
}

int main(int argc, char **argv)
{
    long readers = -1;
    bool write_it = false;
    int option;

    while ((option = getopt(argc, argv, "wr:")) != -1) {
        write_it |= option == 'w';
        if (option == '?' || (option == 'r' && parse_number(optarg, 0, READERS_MAX, &readers) < 0))
            optind = argc + 1;
    }
    if (optind != argc - 1)
        return usage("diskbench [-w | -r READERS] DISK; with -w, what is on the disk is lost");
    path = argv[optind];
    find_size();
    if (readers < 0)
        measure_all(write_it);
    else if (readers > 0)
        printf("random-read-%ld %.0f IOPS\n", readers, at_random((unsigned)readers));
    return finish(0);
}
