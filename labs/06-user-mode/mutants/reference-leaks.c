/* In: guestos/fs/file_calls.c. Caught by: unit_fd.bad_numbers_lose_nothing. Mistake: a bad number costs a
 * reference: the file is never closed. */
static ssize_t replace_fd(int old, int new, bool close_on_exec)
{
    struct file *file = fd_file(old);

    if (!file)
        return -EBADF;
    if (new < 0 || new >= FILES_MAX)
        return -EBADF;
    fd_close(new);
    current_process()->files->file[new] = file;
    current_process()->files->close_on_exec[new] = close_on_exec;
    return new;
}
