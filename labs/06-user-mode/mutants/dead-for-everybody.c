/* In: guestos/proc/wait_calls.c. Caught by: unit_wait.who_asks_for_the_stopped_only_leaves_the_dead. Mistake:
 * tells of the dead whoever asks for others. */
static bool has_news(const struct process *child, const struct wish *wish, int *status)
{
    if (child->zombie) {
        *status = child->wait_status;
        return true;
    }
    *status = child->stopped ? child->stopped << 8 | 0x7f : STATUS_CONTINUED;
    return child->stop_news && (wish->options & (child->stopped ? WUNTRACED : WCONTINUED));
}
