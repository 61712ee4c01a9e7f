/* /dev/null and /dev/zero. */
#include "string.h"
#include "vfs.h"

static ssize_t discard(struct file *file, const void *from, size_t n)
{
    (void)file;
    (void)from;
    return n;
}

static ssize_t read_nothing(struct file *file, void *to, size_t n)
{
    (void)file;
    (void)to;
    (void)n;
    return 0;
}

static ssize_t read_zeros(struct file *file, void *to, size_t n)
{
    (void)file;
    memset(to, 0, n);
    return n;
}

static int always_ready(struct file *file)
{
    (void)file;
    return POLLIN | POLLOUT;
}

static const struct vnode_ops null_ops = {
    .stream_read = read_nothing, .stream_write = discard, .poll = always_ready};
static const struct vnode_ops zero_ops = {
    .stream_read = read_zeros, .stream_write = discard, .poll = always_ready};

DEVFILE(null, "null", S_IFCHR | 0666, 1, 3, &null_ops);
DEVFILE(zero, "zero", S_IFCHR | 0666, 1, 5, &zero_ops);
