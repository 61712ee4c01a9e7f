/* In: guestos/kernel/wait.c. Caught by: unit_wait.the_last_deadline_counts. Mistake: sets wake_at only
 * when it enters the list. */
void wait_prepare(struct wait_queue *queue, uint64_t deadline)
{
    struct thread *thread = current_thread();

    spin_lock(&queue->lock);
    if (list_empty(&thread->wait_link))
        list_add_before(&queue->waiters, &thread->wait_link);
    set_waiting(true);
    spin_unlock(&queue->lock);
    if (deadline == NEVER)
        return;
    spin_lock(&sleep_lock);
    if (list_empty(&thread->sleep_link)) {
        thread->wake_at = deadline;
        list_add_before(&sleepers, &thread->sleep_link);
    }
    spin_unlock(&sleep_lock);
}
