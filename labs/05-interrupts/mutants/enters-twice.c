/* In: guestos/kernel/wait.c. Caught by: unit_wait.a_wake_for_nothing_is_no_end. Mistake: enters the queue
 * that it is in already. */
void wait_prepare(struct wait_queue *queue, uint64_t deadline)
{
    struct thread *thread = current_thread();

    spin_lock(&queue->lock);
    list_add_before(&queue->waiters, &thread->wait_link);
    set_waiting(true);
    spin_unlock(&queue->lock);
    if (deadline == NEVER)
        return;
    spin_lock(&sleep_lock);
    thread->wake_at = deadline;
    if (list_empty(&thread->sleep_link))
        list_add_before(&sleepers, &thread->sleep_link);
    spin_unlock(&sleep_lock);
}
