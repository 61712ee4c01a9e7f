/* In: guestos/kernel/wait.c. Caught by: unit_wait.without_a_deadline_no_tick_wakes. Mistake: is among the
 * sleepers, with an old wake_at, though it has no deadline. */
void wait_prepare(struct wait_queue *queue, uint64_t deadline)
{
    struct thread *thread = current_thread();

    spin_lock(&queue->lock);
    if (list_empty(&thread->wait_link))
        list_add_before(&queue->waiters, &thread->wait_link);
    set_waiting(true);
    spin_unlock(&queue->lock);
    spin_lock(&sleep_lock);
    if (deadline != NEVER)
        thread->wake_at = deadline;
    if (list_empty(&thread->sleep_link))
        list_add_before(&sleepers, &thread->sleep_link);
    spin_unlock(&sleep_lock);
}
