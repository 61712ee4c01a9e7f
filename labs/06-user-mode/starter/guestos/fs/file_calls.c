/*
 * dup2() and dup3() for two different numbers: let descriptor `new` be the file that `old` is, and nothing
 * else; what was open there is closed. close-on-exec is the new descriptor's own. Returns `new`, or -EBADF if
 * `old` is not open or `new` cannot be a descriptor; then nothing has changed. POSIX, dup2(). Handout,
 * section 4.10.
 */
static ssize_t replace_fd(int old, int new, bool close_on_exec)
{
    (void)old, (void)new, (void)close_on_exec;
    return lab_todo(6, "replace_fd", "handout section 4.10");
}
