/* Pipes: a ring of bytes between writers and readers. */
#include "errno.h"
#include "heap.h"
#include "process.h"
#include "string.h"
#include "syscall.h"
#include "user.h"
#include "vfs.h"

#define PIPE_SIZE 65536
#define PIPE_BUF  4096 /* writes of up to this size are not torn apart */

struct pipe {
    struct mutex lock;         /* guards what follows */
    struct wait_queue changed; /* bytes, room, or the end of one side */
    unsigned readers, writers;
    size_t start, used;
    char *bytes; /* a ring of PIPE_SIZE */
};

static int pipe_open(struct file *file)
{
    struct pipe *pipe = file->vnode->data;

    mutex_lock(&pipe->lock);
    if ((file->flags & O_ACCMODE) == O_WRONLY)
        pipe->writers++;
    else
        pipe->readers++;
    mutex_unlock(&pipe->lock);
    return 0;
}

static void pipe_close(struct file *file)
{
    struct pipe *pipe = file->vnode->data;

    mutex_lock(&pipe->lock);
    if ((file->flags & O_ACCMODE) == O_WRONLY)
        pipe->writers--;
    else
        pipe->readers--;
    mutex_unlock(&pipe->lock);
    wake_all(&pipe->changed);
    poll_changed();
}

/* Move up to n bytes out of the ring. */
static size_t take(struct pipe *pipe, char *to, size_t n)
{
    size_t first = MIN(MIN(n, pipe->used), PIPE_SIZE - pipe->start);
    size_t second = MIN(n, pipe->used) - first;

    memcpy(to, pipe->bytes + pipe->start, first);
    memcpy(to + first, pipe->bytes, second);
    pipe->start = (pipe->start + first + second) % PIPE_SIZE;
    pipe->used -= first + second;
    return first + second;
}

static void put(struct pipe *pipe, const char *from, size_t n)
{
    size_t end = (pipe->start + pipe->used) % PIPE_SIZE;
    size_t first = MIN(n, PIPE_SIZE - end);

    memcpy(pipe->bytes + end, from, first);
    memcpy(pipe->bytes, from + first, n - first);
    pipe->used += n;
}

/* Wait, without the lock, until the pipe may have changed in our favour. */
static int wait_for(struct pipe *pipe, const struct file *file, bool for_room)
{
    mutex_unlock(&pipe->lock);
    int error = file->flags & O_NONBLOCK ? -EAGAIN : 0;
    if (!error)
        error = wait_until(&pipe->changed,
                           for_room ? PIPE_SIZE - pipe->used >= PIPE_BUF || !pipe->readers
                                    : pipe->used || !pipe->writers,
                           NEVER, true);
    mutex_lock(&pipe->lock);
    return error == -EINTR ? -ERESTARTSYS : error;
}

static ssize_t pipe_read(struct file *file, void *to, size_t n)
{
    struct pipe *pipe = file->vnode->data;
    ssize_t result = 0;

    mutex_lock(&pipe->lock);
    while (!pipe->used && pipe->writers && result == 0)
        result = wait_for(pipe, file, false);
    if (result == 0)
        result = take(pipe, to, n);
    mutex_unlock(&pipe->lock);
    wake_all(&pipe->changed);
    poll_changed();
    return result;
}

/* n is at most PIPE_BUF: larger writes come in parts. */
static ssize_t pipe_write(struct file *file, const void *from, size_t n)
{
    struct pipe *pipe = file->vnode->data;
    ssize_t result = 0;

    mutex_lock(&pipe->lock);
    while (PIPE_SIZE - pipe->used < n && pipe->readers && result == 0)
        result = wait_for(pipe, file, true);
    if (result == 0 && !pipe->readers) {
        signal_send(current_process(), SIGPIPE, (struct signal_cause){.code = SI_KERNEL});
        result = -EPIPE;
    }
    if (result == 0) {
        put(pipe, from, n);
        result = n;
    }
    mutex_unlock(&pipe->lock);
    wake_all(&pipe->changed);
    poll_changed();
    return result;
}

static int pipe_poll(struct file *file)
{
    struct pipe *pipe = file->vnode->data;

    if ((file->flags & O_ACCMODE) == O_WRONLY)
        return (PIPE_SIZE - pipe->used >= PIPE_BUF ? POLLOUT : 0) | (pipe->readers ? 0 : POLLERR);
    return (pipe->used ? POLLIN : 0) | (pipe->writers ? 0 : POLLHUP);
}

static void pipe_release(struct vnode *node)
{
    struct pipe *pipe = node->data;

    kfree(pipe->bytes);
    kfree(pipe);
}

static const struct vnode_ops pipe_ops = {
    .open = pipe_open,
    .close = pipe_close,
    .stream_read = pipe_read,
    .stream_write = pipe_write,
    .poll = pipe_poll,
    .release = pipe_release,
};

static struct vnode *pipe_create(void)
{
    struct pipe *pipe = kmalloc(sizeof(*pipe));
    struct vnode *node = vnode_create(&pipe_ops, S_IFIFO | 0600, NULL);
    char *bytes = kmalloc(PIPE_SIZE);

    if (!pipe || !node || !bytes) {
        kfree(pipe);
        kfree(node);
        kfree(bytes);
        return NULL;
    }
    mutex_init(&pipe->lock);
    wait_queue_init(&pipe->changed);
    pipe->bytes = bytes;
    node->data = pipe;
    return node;
}

/* Both ends as descriptors. On failure nothing stays open. */
static int open_ends(struct vnode *node, uint32_t flags, int *fds)
{
    struct file *reader, *writer;
    bool close_on_exec = flags & O_CLOEXEC;

    vnode_get(node); /* one reference for each end; file_create takes it over */
    int error = file_create(node, O_RDONLY | (flags & O_NONBLOCK), &reader);
    if (error) {
        vnode_put(node);
        return error;
    }
    error = file_create(node, O_WRONLY | (flags & O_NONBLOCK), &writer);
    if (error) {
        file_put(reader);
        return error;
    }
    fds[0] = fd_install(reader, 0, close_on_exec);
    if (fds[0] < 0) {
        file_put(writer);
        return fds[0];
    }
    fds[1] = fd_install(writer, 0, close_on_exec);
    if (fds[1] < 0)
        fd_close(fds[0]);
    return MIN(fds[1], 0);
}

static ssize_t sys_pipe2(uint64_t user_fds, uint32_t flags)
{
    int fds[2];

    if (flags & ~(O_CLOEXEC | O_NONBLOCK))
        return -EINVAL;
    struct vnode *node = pipe_create();
    if (!node)
        return -ENOMEM;
    int error = open_ends(node, flags, fds);
    if (error)
        return error;
    error = copy_to_user(user_fds, fds, sizeof(fds));
    if (error) {
        fd_close(fds[0]);
        fd_close(fds[1]);
    }
    return error;
}

static ssize_t sys_pipe(uint64_t user_fds)
{
    return sys_pipe2(user_fds, 0);
}

SYSCALL(22, sys_pipe);
SYSCALL(293, sys_pipe2);
