/*
 * Take up to n bytes out of the pipe (take()), and return how many. While it is empty, wait_for() bytes as
 * long as somebody could write some; without a writer that is the end of the file, 0. What wait_for() says,
 * if it is not 0, is the result. pipe->lock guards all of it. Whoever waits for room, in a write or in
 * poll(), is told. POSIX, read(). Handout, section 4.11.
 */
static ssize_t pipe_read(struct file *file, void *to, size_t n)
{
    (void)file, (void)to, (void)n;
    (void)take, (void)wait_for; /* yours to use */
    return lab_todo(6, "pipe_read", "handout section 4.11");
}

/*
 * Put all n bytes into the pipe (put()), which are at most PIPE_BUF, and return n. While there is no room for
 * all of them, wait_for() it as long as somebody could read. Without a reader: SIGPIPE to the current process
 * (SI_KERNEL), and -EPIPE. For the rest see pipe_read(). POSIX, write(). Handout, section 4.11.
 */
static ssize_t pipe_write(struct file *file, const void *from, size_t n)
{
    (void)file, (void)from, (void)n;
    (void)put, (void)wait_for; /* yours to use */
    return lab_todo(6, "pipe_write", "handout section 4.11");
}
