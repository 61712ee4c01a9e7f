/* In: guestos/fs/pipe.c. Caught by: unit_pipe.a_write_is_not_torn. Mistake: writes what fits: the lines of
 * two writers get mixed. */
static ssize_t pipe_write(struct file *file, const void *from, size_t n)
{
    struct pipe *pipe = file->vnode->data;
    ssize_t result = 0;

    mutex_lock(&pipe->lock);
    while (PIPE_SIZE == pipe->used && pipe->readers && result == 0)
        result = wait_for(pipe, file, true);
    if (result == 0 && !pipe->readers) {
        signal_send(current_process(), SIGPIPE, (struct signal_cause){.code = SI_KERNEL});
        result = -EPIPE;
    }
    if (result == 0) {
        n = MIN(n, PIPE_SIZE - pipe->used);
        put(pipe, from, n);
        result = n;
    }
    mutex_unlock(&pipe->lock);
    wake_all(&pipe->changed);
    poll_changed();
    return result;
}
