/* In: guestos/proc/wait_calls.c. Caught by: unit_wait.the_stopped_are_told_to_who_asks. Mistake: tells the
 * same stop with every call. */
static bool has_news(const struct process *child, const struct wish *wish, int *status)
{
    if (child->zombie) {
        *status = child->wait_status;
        return wish->options & WEXITED;
    }
    *status = child->stopped ? child->stopped << 8 | 0x7f : STATUS_CONTINUED;
    return (child->stopped || child->stop_news) &&
           (wish->options & (child->stopped ? WUNTRACED : WCONTINUED));
}
