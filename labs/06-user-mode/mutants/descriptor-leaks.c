/* In: guestos/fs/file_calls.c. Caught by: unit_fd.what_was_there_is_closed. Mistake: the file that was open
 * there is never closed. */
static ssize_t replace_fd(int old, int new, bool close_on_exec)
{
    struct file *file = fd_file(old);

    if (!file)
        return -EBADF;
    if (new < 0 || new >= FILES_MAX) {
        file_put(file);
        return -EBADF;
    }
    current_process()->files->file[new] = file;
    current_process()->files->close_on_exec[new] = close_on_exec;
    return new;
}
