/* In: guestos/fs/pipe.c. Caught by: unit_pipe.who_is_woken_looks_again, unit_pipe.nonblock_gives_eagain.
 * Mistake: an empty pipe is the end, although somebody may still write. */
static ssize_t pipe_read(struct file *file, void *to, size_t n)
{
    struct pipe *pipe = file->vnode->data;
    ssize_t result = 0;

    mutex_lock(&pipe->lock);
    if (result == 0)
        result = take(pipe, to, n);
    mutex_unlock(&pipe->lock);
    wake_all(&pipe->changed);
    poll_changed();
    return result;
}
