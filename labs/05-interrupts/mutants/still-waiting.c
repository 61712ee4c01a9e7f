/* In: guestos/kernel/wait.c. Caught by: unit_wait.who_need_not_wait_goes_on. Mistake: stays
 * THREAD_WAITING: its next schedule() is its last. */
void wait_finish(struct wait_queue *queue)
{
    struct thread *thread = current_thread();

    spin_lock(&queue->lock);
    list_del(&thread->wait_link);
    spin_unlock(&queue->lock);
    spin_lock(&sleep_lock);
    list_del(&thread->sleep_link);
    spin_unlock(&sleep_lock);
}
