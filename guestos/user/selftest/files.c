/* Self-test: files, directories, descriptors and pipes behave as on Linux, down to errno and the layout of
 * structures. */
#define _GNU_SOURCE
#include "selftest.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static int open_new(const char *path, int flags)
{
    int fd = open(path, flags | O_CREAT, 0644);

    CHECK(fd >= 0, "open(%s, O_CREAT): %s", path, strerror(errno));
    return fd;
}

static void has_content(int fd, const char *expected)
{
    char buffer[256] = "";
    ssize_t n = pread(fd, buffer, sizeof buffer - 1, 0);

    CHECK(n == (ssize_t)strlen(expected) && memcmp(buffer, expected, n) == 0,
          "the file holds %zd bytes \"%s\", should be \"%s\"", n, buffer, expected);
}

TEST(files_open_errors)
{
    char long_name[300];

    memset(long_name, 'n', sizeof long_name);
    long_name[299] = '\0';
    make_file("file", "content");
    WORKS(mkdir("directory", 0755));
    FAILS(open("none", O_RDONLY), ENOENT);
    FAILS(open("", O_RDONLY), ENOENT);
    FAILS(open("none/file", O_RDONLY), ENOENT);
    FAILS(open("file/below", O_RDONLY), ENOTDIR);
    FAILS(open("file/", O_RDONLY), ENOTDIR);
    FAILS(open("directory", O_WRONLY), EISDIR);
    FAILS(open("file", O_RDONLY | O_DIRECTORY), ENOTDIR);
    FAILS(open("file", O_WRONLY | O_CREAT | O_EXCL, 0644), EEXIST);
    FAILS(open(long_name, O_RDONLY), ENAMETOOLONG);
    FAILS(close(-1), EBADF);
    FAILS(close(999), EBADF);
}

TEST(files_open_flags)
{
    make_file("file", "content");
    int fd = open("file", O_RDWR | O_APPEND);
    EQUAL(lseek(fd, 0, SEEK_SET), 0);
    EQUAL(write(fd, "+", 1), 1);
    has_content(fd, "content+");
    EQUAL(fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND), O_RDWR | O_APPEND);
    WORKS(close(open("file", O_WRONLY | O_TRUNC)));
    has_content(fd, "");
    fd = open("file", O_RDONLY);
    FAILS(write(fd, "x", 1), EBADF);
    fd = open("file", O_WRONLY);
    FAILS(read(fd, &fd, 1), EBADF);
}

TEST(files_seek_and_positions)
{
    char buffer[16];
    int fd = open_new("file", O_RDWR);

    EQUAL(write(fd, "0123456789", 10), 10);
    EQUAL(pread(fd, buffer, 3, 4), 3);
    CHECK(memcmp(buffer, "456", 3) == 0, "pread at 4 reads \"%.3s\"", buffer);
    EQUAL(lseek(fd, 0, SEEK_CUR), 10);
    EQUAL(pwrite(fd, "XY", 2, 1), 2);
    EQUAL(lseek(fd, -3, SEEK_END), 7);
    EQUAL(read(fd, buffer, sizeof buffer), 3);
    EQUAL(read(fd, buffer, sizeof buffer), 0);
    has_content(fd, "0XY3456789");
    FAILS(lseek(fd, -1, SEEK_SET), EINVAL);
    FAILS(lseek(fd, 0, 99), EINVAL);
    FAILS(lseek(-1, 0, SEEK_SET), EBADF);
    FAILS(pread(fd, buffer, 1, -1), EINVAL);
}

TEST(files_holes_read_as_zeros)
{
    char buffer[8192] = {1};
    int fd = open_new("file", O_RDWR);

    EQUAL(lseek(fd, 8000, SEEK_SET), 8000);
    EQUAL(write(fd, "end", 3), 3);
    EQUAL(pread(fd, buffer, sizeof buffer, 0), 8003);
    for (int i = 0; i < 8000; i++)
        CHECK(buffer[i] == 0, "byte %d of the hole is %d, should be 0", i, buffer[i]);
    EQUAL(ftruncate(fd, 100), 0);
    EQUAL(ftruncate(fd, 9000), 0);
    EQUAL(pread(fd, buffer, 10, 7999), 10);
    CHECK(memcmp(buffer, "\0\0\0\0", 4) == 0, "growing a file shows bytes that were cut off before");
    FAILS(ftruncate(fd, -1), EINVAL);
}

TEST(files_vectors)
{
    char a[3], b[5];
    struct iovec out[] = {{"one", 3}, {"", 0}, {"three", 5}}, in[] = {{a, 3}, {b, 5}};
    int fd = open_new("file", O_RDWR);

    EQUAL(writev(fd, out, 3), 8);
    EQUAL(lseek(fd, 0, SEEK_SET), 0);
    EQUAL(readv(fd, in, 2), 8);
    CHECK(memcmp(a, "one", 3) == 0 && memcmp(b, "three", 5) == 0, "readv gives \"%.3s\" and \"%.5s\"", a, b);
    FAILS(readv(fd, in, -1), EINVAL);
    FAILS(writev(fd, in, 1025), EINVAL);
    in[0].iov_len = (size_t)-1;
    FAILS(readv(fd, in, 2), EINVAL);
}

TEST(files_stat_is_bit_exact)
{
    struct {
        struct stat st;
        unsigned char guard[32];
    } box;
    int fd = open_new("file", O_RDWR);

    EQUAL(sizeof(struct stat), 144);
    EQUAL(write(fd, "12345", 5), 5);
    memset(&box, 0xa5, sizeof box);
    EQUAL(raw_syscall(SYS_newfstatat, AT_FDCWD, (long)"file", (long)&box, 0, 0, 0), 0);
    EQUAL(box.st.st_size, 5);
    EQUAL(box.st.st_nlink, 1);
    EQUAL(box.st.st_mode & S_IFMT, S_IFREG);
    CHECK(box.st.st_ino != 0 && box.st.st_blksize > 0, "st_ino %lu and st_blksize %ld should not be 0",
          (unsigned long)box.st.st_ino, (long)box.st.st_blksize);
    CHECK(box.st.st_mtim.tv_nsec >= 0 && box.st.st_mtim.tv_nsec < 1000000000, "st_mtim's nanoseconds are %ld",
          box.st.st_mtim.tv_nsec);
    for (int i = 120; i < 144; i++)
        EQUAL(((unsigned char *)&box)[i], 0);
    for (unsigned i = 0; i < sizeof box.guard; i++)
        EQUAL(box.guard[i], 0xa5);
    struct stat by_fd;
    WORKS(fstat(fd, &by_fd));
    EQUAL(by_fd.st_ino, box.st.st_ino);
    WORKS(fstatat(fd, "", &by_fd, AT_EMPTY_PATH));
    FAILS(stat("none", &by_fd), ENOENT);
    FAILS(fstat(-1, &by_fd), EBADF);
    WORKS(stat(".", &by_fd));
    CHECK(S_ISDIR(by_fd.st_mode), ". has mode %o, should be a directory", by_fd.st_mode);
    WORKS(stat("/dev/null", &by_fd));
    CHECK(S_ISCHR(by_fd.st_mode) && by_fd.st_rdev == 0x103, "/dev/null: mode %o, device %lx, should be 1:3",
          by_fd.st_mode, (unsigned long)by_fd.st_rdev);
}

TEST(files_descriptors)
{
    int fd = open_new("file", O_RDWR), copy = dup(fd);

    EQUAL(copy, fd + 1);
    EQUAL(write(fd, "abc", 3), 3);
    EQUAL(lseek(copy, 0, SEEK_CUR), 3);
    EQUAL(dup2(fd, 20), 20);
    EQUAL(dup2(fd, fd), fd);
    FAILS(dup2(fd, -1), EBADF);
    FAILS(dup2(99, 3), EBADF);
    FAILS(dup(99), EBADF);
    FAILS(raw_syscall(SYS_dup3, fd, fd, 0, 0, 0, 0) == -EINVAL ? (errno = EINVAL, -1) : 0, EINVAL);
    EQUAL(dup3(fd, 21, O_CLOEXEC), 21);
    EQUAL(fcntl(21, F_GETFD), FD_CLOEXEC);
    EQUAL(fcntl(20, F_GETFD), 0);
    EQUAL(fcntl(fd, F_DUPFD, 30), 30);
    EQUAL(fcntl(fd, F_DUPFD_CLOEXEC, 30), 31);
    EQUAL(fcntl(31, F_GETFD), FD_CLOEXEC);
    WORKS(fcntl(31, F_SETFD, 0));
    EQUAL(fcntl(31, F_GETFD), 0);
    FAILS(fcntl(99, F_GETFD), EBADF);
    FAILS(fcntl(fd, 9999), EINVAL);
    WORKS(close(fd));
    EQUAL(open("file", O_RDONLY), fd); /* always the lowest number */
    EQUAL(lseek(copy, 0, SEEK_CUR), 3);
}

TEST(files_unlinked_file_lives_while_open)
{
    struct stat st;
    int fd = open_new("file", O_RDWR);

    EQUAL(write(fd, "still here", 10), 10);
    WORKS(unlink("file"));
    FAILS(open("file", O_RDONLY), ENOENT);
    FAILS(unlink("file"), ENOENT);
    has_content(fd, "still here");
    WORKS(fstat(fd, &st));
    EQUAL(st.st_nlink, 0);
}

TEST(files_rename)
{
    make_file("a", "A");
    make_file("b", "B");
    WORKS(mkdir("d", 0755));
    WORKS(mkdir("d/e", 0755));
    WORKS(rename("a", "b"));
    FAILS(access("a", F_OK), ENOENT);
    int fd = open("b", O_RDONLY);
    has_content(fd, "A");
    WORKS(rename("b", "b"));
    WORKS(rename("b", "d/moved"));
    WORKS(access("d/moved", R_OK));
    FAILS(rename("none", "x"), ENOENT);
    FAILS(rename("d/moved", "d/e"), EISDIR);
    FAILS(rename("d/e", "d/moved"), ENOTDIR);
    FAILS(rename("d", "d/e/inside"), EINVAL);
    WORKS(mkdir("full", 0755));
    make_file("full/x", "");
    FAILS(rename("d", "full"), ENOTEMPTY);
    WORKS(rename("full", "renamed"));
    WORKS(access("renamed/x", F_OK));
}

TEST(files_directories)
{
    char cwd[PATH_MAX], inner[PATH_MAX];

    WORKS(mkdir("d", 0755));
    FAILS(mkdir("d", 0755), EEXIST);
    FAILS(mkdir("none/d", 0755), ENOENT);
    make_file("d/file", "");
    FAILS(rmdir("d"), ENOTEMPTY);
    FAILS(rmdir("d/file"), ENOTDIR);
    FAILS(rmdir("d/."), EINVAL);
    FAILS(unlink("d"), EISDIR);
    FAILS(chdir("d/file"), ENOTDIR);
    FAILS(chdir("none"), ENOENT);
    CHECK(getcwd(cwd, sizeof cwd) != NULL, "getcwd: %s", strerror(errno));
    WORKS(chdir("d/../d/."));
    CHECK(getcwd(inner, sizeof inner) && strcmp(inner + strlen(cwd), "/d") == 0, "in %s/d getcwd says %s",
          cwd, inner);
    EQUAL(raw_syscall(SYS_getcwd, (long)inner, 2, 0, 0, 0, 0), -ERANGE);
    EQUAL(raw_syscall(SYS_getcwd, (long)inner, sizeof inner, 0, 0, 0, 0), strlen(inner) + 1);
    WORKS(unlink("file"));
    WORKS(chdir(".."));
    WORKS(rmdir("d"));
    FAILS(rmdir("d"), ENOENT);
    int here = open(".", O_RDONLY | O_DIRECTORY);
    WORKS(chdir("/"));
    WORKS(fchdir(here));
    WORKS(mkdirat(here, "at", 0755));
    WORKS(unlinkat(here, "at", AT_REMOVEDIR));
    FAILS(read(here, cwd, 1), EISDIR);
}

/* One record of getdents64 as the kernel writes it. */
struct record {
    uint64_t inode;
    int64_t offset;
    uint16_t length;
    uint8_t type;
    char name[];
};

static void check_record(const struct record *record, unsigned char *seen)
{
    int number = -1;

    EQUAL(record->length % 8, 0);
    CHECK(record->inode != 0, "entry %s has inode 0", record->name);
    if (record->name[0] == '.') {
        EQUAL(record->type, DT_DIR);
        return;
    }
    EQUAL(record->type, DT_REG);
    CHECK(sscanf(record->name, "entry-%d", &number) == 1 && number >= 0 && number < 50, "unknown entry %s",
          record->name);
    seen[number]++;
}

TEST(files_getdents_with_small_buffers)
{
    unsigned char seen[50] = {0};
    char name[32];
    _Alignas(8) char buffer[80];
    long n;

    for (int i = 0; i < 50; i++) {
        snprintf(name, sizeof name, "entry-%d", i);
        make_file(name, "");
    }
    int fd = open(".", O_RDONLY | O_DIRECTORY), file = open("entry-0", O_RDONLY);
    EQUAL(raw_syscall(SYS_getdents64, fd, (long)buffer, 10, 0, 0, 0), -EINVAL);
    EQUAL(raw_syscall(SYS_getdents64, file, (long)buffer, 80, 0, 0, 0), -ENOTDIR);
    while ((n = raw_syscall(SYS_getdents64, fd, (long)buffer, sizeof buffer, 0, 0, 0)) > 0)
        for (long at = 0; at < n; at += ((struct record *)(buffer + at))->length)
            check_record((struct record *)(buffer + at), seen);
    EQUAL(n, 0);
    for (int i = 0; i < 50; i++)
        CHECK(seen[i] == 1, "entry-%d was listed %d times", i, seen[i]);
    EQUAL(lseek(fd, 0, SEEK_SET), 0);
    CHECK(raw_syscall(SYS_getdents64, fd, (long)buffer, sizeof buffer, 0, 0, 0) > 0,
          "after lseek(0) the list is empty");
}

TEST(files_symlinks)
{
    char target[16] = {0};
    struct stat st;

    make_file("file", "content");
    if (symlink("file", "link") < 0 && (errno == ENOSYS || errno == EPERM || errno == EOPNOTSUPP))
        skip("there are no symbolic links");
    EQUAL(readlink("link", target, sizeof target), 4);
    CHECK(strcmp(target, "file") == 0, "the link points to \"%s\"", target);
    WORKS(lstat("link", &st));
    CHECK(S_ISLNK(st.st_mode), "lstat says mode %o", st.st_mode);
    WORKS(stat("link", &st));
    CHECK(S_ISREG(st.st_mode), "stat says mode %o", st.st_mode);
    WORKS(symlink("loop", "loop"));
    FAILS(open("loop", O_RDONLY), ELOOP);
    FAILS(readlink("file", target, sizeof target), EINVAL);
}

TEST(files_modes_and_times)
{
    struct timespec times[2] = {{1000000000, 5}, {1100000000, 0}};
    struct statfs fs;
    struct stat st;

    umask(027);
    WORKS(close(open_new("file", O_RDWR)));
    WORKS(stat("file", &st));
    EQUAL(st.st_mode & 0777, 0640);
    EQUAL(umask(022), 027);
    WORKS(chmod("file", 0751));
    WORKS(utimensat(AT_FDCWD, "file", times, 0));
    WORKS(stat("file", &st));
    EQUAL(st.st_mode & 0777, 0751);
    EQUAL(st.st_mtim.tv_sec, 1100000000);
    WORKS(statfs(".", &fs));
    CHECK(fs.f_bsize > 0, "statfs: f_bsize is %ld", (long)fs.f_bsize);
    FAILS(access("none", F_OK), ENOENT);
}

TEST(files_devices)
{
    char buffer[100];
    int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDWR);

    EQUAL(write(null, buffer, 100), 100);
    EQUAL(read(null, buffer, 100), 0);
    memset(buffer, 1, sizeof buffer);
    EQUAL(read(zero, buffer, 100), 100);
    for (int i = 0; i < 100; i++)
        EQUAL(buffer[i], 0);
}

TEST(files_sendfile)
{
    char buffer[16] = {0};
    int ends[2];

    make_file("file", "0123456789");
    int fd = open("file", O_RDONLY);
    off_t from = 3;
    WORKS(pipe(ends));
    EQUAL(sendfile(ends[1], fd, &from, 4), 4);
    EQUAL(from, 7);
    EQUAL(read(ends[0], buffer, sizeof buffer), 4);
    CHECK(strcmp(buffer, "3456") == 0, "sendfile sent \"%s\"", buffer);
    EQUAL(lseek(fd, 0, SEEK_CUR), 0);
}

TEST(pipes_end_and_errors)
{
    char buffer[8];
    struct stat st;
    int ends[2];

    WORKS(pipe2(ends, O_CLOEXEC));
    EQUAL(fcntl(ends[0], F_GETFD), FD_CLOEXEC);
    EQUAL(write(ends[1], "hello", 5), 5);
    EQUAL(read(ends[0], buffer, 2), 2);
    EQUAL(read(ends[0], buffer, sizeof buffer), 3);
    FAILS(lseek(ends[0], 0, SEEK_SET), ESPIPE);
    FAILS(pread(ends[0], buffer, 1, 0), ESPIPE);
    FAILS(read(ends[1], buffer, 1), EBADF);
    FAILS(write(ends[0], buffer, 1), EBADF);
    WORKS(fstat(ends[0], &st));
    CHECK(S_ISFIFO(st.st_mode), "a pipe has mode %o", st.st_mode);
    WORKS(close(ends[1]));
    EQUAL(read(ends[0], buffer, 1), 0);
    WORKS(pipe(ends));
    signal(SIGPIPE, SIG_IGN);
    WORKS(close(ends[0]));
    FAILS(write(ends[1], "x", 1), EPIPE);
}

TEST(pipes_without_blocking)
{
    static char block[4096];
    int ends[2], total = 0;
    ssize_t n;

    WORKS(pipe2(ends, O_NONBLOCK));
    FAILS(read(ends[0], block, 1), EAGAIN);
    while ((n = write(ends[1], block, sizeof block)) > 0)
        total += n;
    CHECK(n == -1 && errno == EAGAIN, "a full pipe gives %zd, errno %d, should be EAGAIN", n, errno);
    CHECK(total >= 4096, "only %d bytes fit into a pipe", total);
    while ((n = read(ends[0], block, sizeof block)) > 0)
        total -= n;
    EQUAL(total, 0);
    WORKS(fcntl(ends[0], F_SETFL, 0));
    EQUAL(fcntl(ends[0], F_GETFL) & O_NONBLOCK, 0);
}

/* A program may put a directory's position anywhere; what lies there is the end, or entries, but nothing
 * else. */
TEST(files_directory_positions_beyond_the_end)
{
    static const char *const directories[] = {"/", "/dev", "/proc", "/proc/self"};
    static const off_t positions[] = {100, 0x7fffffff, 0x100000000, 0x1000000000000000, 0x7fffffffffffffff};
    char buffer[1024];

    for (size_t d = 0; d < sizeof directories / sizeof *directories; d++) {
        int fd = open(directories[d], O_RDONLY | O_DIRECTORY);
        CHECK(fd >= 0, "open %s: %s", directories[d], strerror(errno));
        for (size_t i = 0; i < sizeof positions / sizeof *positions; i++) {
            if (lseek(fd, positions[i], SEEK_SET) < 0)
                continue; /* refusing it is as good */
            long n = syscall(SYS_getdents64, fd, buffer, sizeof buffer);
            CHECK(n <= (long)sizeof buffer, "getdents64 of %s at %#lx gives %ld", directories[d],
                  positions[i], n);
        }
        close(fd);
    }
}
