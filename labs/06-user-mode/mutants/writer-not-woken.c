/* In: guestos/fs/pipe.c. Caught by: unit_pipe.a_full_pipe_makes_the_writer_wait. Mistake: makes room and
 * tells nobody. */
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
    poll_changed();
    return result;
}
