/* In: guestos/fs/pipe.c. Caught by: unit_pipe.who_is_woken_looks_again, unit_pipe.who_polls_is_told. Mistake:
 * writes and tells nobody. */
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
    return result;
}
