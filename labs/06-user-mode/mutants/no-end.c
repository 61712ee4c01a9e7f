/* In: guestos/fs/pipe.c. Caught by: unit_pipe.the_end_comes_with_the_last_writer. Mistake: waits for bytes
 * when nobody can write any. */
static ssize_t pipe_read(struct file *file, void *to, size_t n)
{
    struct pipe *pipe = file->vnode->data;
    ssize_t result = 0;

    mutex_lock(&pipe->lock);
    while (!pipe->used && result == 0)
        result = wait_for(pipe, file, false);
    if (result == 0)
        result = take(pipe, to, n);
    mutex_unlock(&pipe->lock);
    wake_all(&pipe->changed);
    poll_changed();
    return result;
}
