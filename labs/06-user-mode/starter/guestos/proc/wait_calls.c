/*
 * Has the child something to tell (a zombie: how it ended; others, if stop_news: that they have stopped, or
 * go on) that is wished for in wish->options (WEXITED, WUNTRACED, WCONTINUED)? *status is what wait4() then
 * reports: of a zombie child->wait_status; 0x7f and the signal above it; or STATUS_CONTINUED. Linux: wait(2),
 * <sys/wait.h>. Handout, section 4.12.
 */
static bool has_news(const struct process *child, const struct wish *wish, int *status)
{
    (void)child, (void)wish;
    *status = 0;
    lab_todo(6, "has_news", "handout section 4.12");
    return false;
}
