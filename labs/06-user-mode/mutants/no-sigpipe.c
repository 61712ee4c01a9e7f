/* In: guestos/fs/pipe.c. Caught by: unit_pipe.without_a_reader_there_is_epipe_and_a_signal,
 * unit_pipe.the_reader_leaves_while_the_writer_waits. Mistake: EPIPE without the signal: programs that ignore
 * errors write for ever. */
static ssize_t pipe_write(struct file *file, const void *from, size_t n)
{
    struct pipe *pipe = file->vnode->data;
    ssize_t result = 0;

    mutex_lock(&pipe->lock);
    while (PIPE_SIZE - pipe->used < n && pipe->readers && result == 0)
        result = wait_for(pipe, file, true);
    if (result == 0 && !pipe->readers)
        result = -EPIPE;
    if (result == 0) {
        put(pipe, from, n);
        result = n;
    }
    mutex_unlock(&pipe->lock);
    wake_all(&pipe->changed);
    poll_changed();
    return result;
}
