/* /dev/strace: through which the program strace has its children traced (strace_abi.h). */
#include "errno.h"
#include "strace.h"
#include "user.h"
#include "vfs.h"

static int open_session(struct file *file)
{
    file->data = session_create(false);
    return file->data ? 0 : -ENOMEM;
}

static void close_session(struct file *file)
{
    session_close(file->data);
    session_put(file->data);
}

static ssize_t read_text(struct file *file, void *to, size_t n)
{
    return session_read(file->data, to, n, !(file->flags & O_NONBLOCK));
}

static int poll_text(struct file *file)
{
    return session_readable(file->data) ? POLLIN : 0;
}

static int show_only(struct session *session, uint64_t arg)
{
    struct strace_set set;

    if (copy_from_user(&set, arg, sizeof(set)) != 0)
        return -EFAULT;
    session_show_only(session, &set);
    return 0;
}

static int give_count(struct session *session, uint64_t arg)
{
    struct strace_count count;

    if (copy_from_user(&count, arg, sizeof(count)) != 0)
        return -EFAULT;
    int error = session_count(session, &count);
    return error ? error : copy_to_user(arg, &count, sizeof(count));
}

static int control(struct file *file, uint32_t request, uint64_t arg)
{
    switch (request) {
    case STRACE_ME:
        return session_add(file->data, current_process());
    case STRACE_ONLY:
        return show_only(file->data, arg);
    case STRACE_COUNT:
        return give_count(file->data, arg);
    default:
        return -ENOTTY;
    }
}

static const struct vnode_ops strace_ops = {
    .open = open_session,
    .close = close_session,
    .stream_read = read_text,
    .poll = poll_text,
    .ioctl = control,
};

DEVFILE(strace, "strace", S_IFCHR | 0600, 10, 240, &strace_ops);
