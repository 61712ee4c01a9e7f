/*
 * Self-test: the file system on a disk, in the directory that $DISK names. What the host's tests of FAT
 * cannot show is looked at here: many processes at once, and programs that run from the disk.
 */
#define _GNU_SOURCE
#include "selftest.h"
#include "tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROCESSES 8
#define ROUNDS    30
#define BLOCK     20000

/* A directory of the test's own on the disk; it goes when the test has passed. */
static char place[128];

static void go_to_disk(void)
{
    const char *disk = getenv("DISK");

    if (!disk)
        skip("DISK names no directory on a disk");
    snprintf(place, sizeof place, "%s/selftest.%d", disk, getpid());
    WORKS(mkdir(place, 0755));
    WORKS(chdir(place));
}

static void leave_disk(void)
{
    WORKS(chdir("/"));
    CHECK(remove_tree(place, true) == 0, "%s cannot be removed", place);
}

static unsigned char byte_at(unsigned seed, size_t at)
{
    return (unsigned char)((seed * 31 + at) * 2654435761u >> 11);
}

static void write_pattern(const char *path, unsigned seed, size_t size)
{
    static unsigned char block[BLOCK];
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

    CHECK(fd >= 0, "open(%s): %s", path, strerror(errno));
    for (size_t done = 0, part; done < size; done += part) {
        part = size - done < BLOCK ? size - done : BLOCK;
        for (size_t i = 0; i < part; i++)
            block[i] = byte_at(seed, done + i);
        EQUAL(write(fd, block, part), part);
    }
    if (seed % 4 == 0)
        WORKS(fsync(fd));
    WORKS(close(fd));
}

static void expect_pattern(const char *path, unsigned seed, size_t size)
{
    static unsigned char block[BLOCK];
    int fd = open(path, O_RDONLY);
    size_t done = 0;
    ssize_t n;

    CHECK(fd >= 0, "open(%s): %s", path, strerror(errno));
    while ((n = read(fd, block, sizeof block)) > 0) {
        for (ssize_t i = 0; i < n; i++)
            CHECK(block[i] == byte_at(seed, done + (size_t)i), "%s: byte %zu is wrong", path,
                  done + (size_t)i);
        done += (size_t)n;
    }
    EQUAL(n, 0);
    EQUAL(done, size);
    WORKS(close(fd));
}

/* Make, rename, read and remove files beside others who do the same. */
static void work(unsigned number)
{
    char name[64], other[64];

    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned seed = number * 1000 + round;
        size_t size = (size_t)seed * 7919 % 150000;
        snprintf(name, sizeof name, "A file of process %u", number);
        snprintf(other, sizeof other, "Process %u's other file with a longer name", number);
        write_pattern(name, seed, size);
        expect_pattern(name, seed, size);
        WORKS(rename(name, other));
        expect_pattern(other, seed, size);
        if (round % 3 == 0)
            WORKS(unlink(other));
    }
}

TEST(disk_many_processes_at_once)
{
    go_to_disk();
    for (unsigned i = 0; i < PROCESSES; i++) {
        pid_t child = fork();
        CHECK(child >= 0, "fork: %s", strerror(errno));
        if (child == 0) {
            work(i);
            _exit(0);
        }
    }
    for (unsigned i = 0; i < PROCESSES; i++) {
        int status;
        WORKS(wait(&status));
        EQUAL(status, 0);
    }
    sync();
    leave_disk();
}

TEST(disk_programs_run_from_it)
{
    char path[256];

    go_to_disk();
    CHECK(copy_tree("/bin/true", "A program", false) == 0, "copying /bin/true");
    snprintf(path, sizeof path, "%s/A program", place);
    pid_t child = fork();
    CHECK(child >= 0, "fork: %s", strerror(errno));
    if (child == 0) {
        execl(path, path, NULL);
        _exit(99);
    }
    EQUAL(wait_for(child), 0);
    leave_disk();
}

TEST(disk_errors_are_linux_errors)
{
    struct stat st;

    go_to_disk();
    make_file("file", "content");
    FAILS(symlink("file", "symlink"), EPERM);
    FAILS(link("file", "link"), EPERM);
    FAILS(open("a:b", O_CREAT | O_WRONLY, 0644), EINVAL);
    FAILS(mkdir("FILE", 0755), EEXIST);
    FAILS(rename("file", "/tmp/file"), EXDEV);
    FAILS(umount(getenv("DISK")), EBUSY);
    WORKS(stat("FILE", &st));
    EQUAL(st.st_size, 7);
    WORKS(rename("file", "FILE"));
    DIR *dir = opendir(".");
    const struct dirent *entry;
    while ((entry = readdir(dir)) != NULL && entry->d_name[0] == '.')
        ;
    CHECK(entry && strcmp(entry->d_name, "FILE") == 0, "a rename must be able to change the case");
    WORKS(closedir(dir));
    leave_disk();
}

/* The kernel has to read from the disk to get at its answer's place, while it lists a directory there. */
TEST(disk_listing_goes_into_a_mapped_file)
{
    go_to_disk();
    write_pattern("file", 5, 2 * PAGE);
    int file = open("file", O_RDONLY), dir = open(".", O_RDONLY);
    char *mapped = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    CHECK(mapped != MAP_FAILED, "mmap: %s", strerror(errno));
    EQUAL(raw_syscall(SYS_getdents64, dir, (long)mapped, 48, 0, 0, 0), 48); /* "." and ".." */
    CHECK(raw_syscall(SYS_getdents64, dir, (long)mapped + PAGE, PAGE, 0, 0, 0) > 0, "no listing");
    CHECK(memmem(mapped + PAGE, PAGE, "file", 5) != NULL, "the listing has no \"file\"");
    EQUAL((unsigned char)mapped[PAGE - 1], byte_at(5, PAGE - 1));
    WORKS(close(file));
    WORKS(close(dir));
    leave_disk();
}

TEST(disk_a_mount_point_stays)
{
    go_to_disk();
    WORKS(mkdir("/tmp/mover", 0755));
    FAILS(rename("/tmp/mover", getenv("DISK")), EBUSY);
    WORKS(rmdir("/tmp/mover"));
    leave_disk();
}

TEST(disk_what_is_removed_is_free)
{
    struct statfs before, after;

    go_to_disk();
    WORKS(statfs(".", &before));
    write_pattern("file", 1, 500000);
    WORKS(statfs(".", &after));
    CHECK(after.f_bfree < before.f_bfree, "a file of 500,000 bytes takes nothing");
    WORKS(unlink("file"));
    WORKS(statfs(".", &after));
    EQUAL(after.f_bfree, before.f_bfree);
    leave_disk();
}

TEST(disk_files_change_their_size)
{
    int fd;
    struct stat st;

    go_to_disk();
    write_pattern("file", 3, 100000);
    fd = open("file", O_RDWR);
    WORKS(ftruncate(fd, 50000));
    WORKS(posix_fallocate(fd, 0, 200000));
    WORKS(fdatasync(fd));
    WORKS(fstat(fd, &st));
    EQUAL(st.st_size, 200000);
    WORKS(ftruncate(fd, 50000));
    expect_pattern("file", 3, 50000);
    WORKS(close(fd));
    leave_disk();
}
