/* In: guestos/kernel/wait.c. Caught by: unit_wait.who_was_woken_is_in_no_list. Mistake: stays in the
 * queue. */
void wait_finish(struct wait_queue *queue)
{
    struct thread *thread = current_thread();

    spin_lock(&queue->lock);
    set_waiting(false);
    spin_unlock(&queue->lock);
    spin_lock(&sleep_lock);
    list_del(&thread->sleep_link);
    spin_unlock(&sleep_lock);
}
