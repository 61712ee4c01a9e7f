/* /dev/random and /dev/urandom: as getrandom(2), and what is written to them is stirred in. */
#include "random.h"
#include "vfs.h"

static ssize_t read_random(struct file *file, void *to, size_t n)
{
    (void)file;
    random_fill(to, n);
    return n;
}

static ssize_t stir_in(struct file *file, const void *from, size_t n)
{
    (void)file;
    random_add(from, n);
    return n;
}

static int always_ready(struct file *file)
{
    (void)file;
    return POLLIN | POLLOUT;
}

static const struct vnode_ops random_ops = {
    .stream_read = read_random, .stream_write = stir_in, .poll = always_ready};

DEVFILE(random, "random", S_IFCHR | 0666, 1, 8, &random_ops);
DEVFILE(urandom, "urandom", S_IFCHR | 0666, 1, 9, &random_ops);
