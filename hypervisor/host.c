/* What the hypervisor needs of the host: error messages, whole reads and writes, a clock. */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "vm.h"

int complain(int err, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fprintf(stderr, "terrarium: %s\n", text);
    return err;
}

int kvm_ioctl(int fd, unsigned long request, void *arg, const char *what)
{
    int result = ioctl(fd, request, arg);

    return result < 0 ? complain(-EIO, "KVM cannot %s: %s", what, strerror(errno)) : result;
}

int host_read_at(int fd, void *data, size_t size, uint64_t offset)
{
    while (size > 0) {
        ssize_t n = pread(fd, data, size, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        data = (char *)data + n;
        offset += (uint64_t)n;
        size -= (size_t)n;
    }
    return 0;
}

int host_open(const char *option, const char *path, uint64_t *size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe without a writer would block */
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return complain(-errno, "%s %s: %s", option, path, strerror(errno));
    if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)) {
        close(fd);
        return complain(-ESPIPE, "%s %s: is a pipe, a device or a directory; give a regular file", option,
                        path);
    }
    *size = (uint64_t)lseek(fd, 0, SEEK_END);
    return fd;
}

int host_create(const char *option, const char *path, int flags)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK | flags, 0666);

    if (fd < 0)
        return complain(-EIO, "%s %s: %s", option, path,
                        errno == ENXIO ? "nobody reads from this pipe; start the reader first"
                                       : strerror(errno));
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK); /* only to open it must not wait */
    return fd;
}

uint64_t host_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}
