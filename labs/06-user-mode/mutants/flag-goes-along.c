/* In: guestos/fs/file_calls.c. Caught by: unit_fd.close_on_exec_is_the_new_descriptors_own. Mistake: copies
 * close-on-exec: the next program has no stdin. */
static ssize_t replace_fd(int old, int new, bool close_on_exec)
{
    struct file *file = fd_file(old);

    if (!file)
        return -EBADF;
    if (new < 0 || new >= FILES_MAX) {
        file_put(file);
        return -EBADF;
    }
    fd_close(new);
    current_process()->files->file[new] = file;
    current_process()->files->close_on_exec[new] =
        close_on_exec || current_process()->files->close_on_exec[old];
    return new;
}
