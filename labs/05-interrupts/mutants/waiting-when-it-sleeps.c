/* In: guestos/kernel/wait.c. Caught by: unit_wait.a_wake_between_looking_and_sleeping_counts. Mistake:
 * THREAD_WAITING comes after the look: a wake in between is lost. */
void wait_prepare(struct wait_queue *queue, uint64_t deadline)
{
    struct thread *thread = current_thread();

    spin_lock(&queue->lock);
    if (list_empty(&thread->wait_link))
        list_add_before(&queue->waiters, &thread->wait_link);
    spin_unlock(&queue->lock);
    if (deadline == NEVER)
        return;
    spin_lock(&sleep_lock);
    thread->wake_at = deadline;
    if (list_empty(&thread->sleep_link))
        list_add_before(&sleepers, &thread->sleep_link);
    spin_unlock(&sleep_lock);
}

int wait_sleep(uint64_t deadline, bool interruptible)
{
    if (interruptible && __atomic_load_n(&current_thread()->interrupted, __ATOMIC_SEQ_CST))
        return -EINTR;
    if (deadline != NEVER && clock_ns() >= deadline)
        return -ETIMEDOUT;
    set_waiting(true);
    schedule();
    return 0;
}
