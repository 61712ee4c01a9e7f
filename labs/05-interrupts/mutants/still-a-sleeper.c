/* In: guestos/kernel/wait.c. Caught by: unit_wait.who_was_woken_is_in_no_list,
 * unit_wait.who_need_not_wait_goes_on. Mistake: stays among the sleepers when it is woken before its
 * time. */
void wait_finish(struct wait_queue *queue)
{
    struct thread *thread = current_thread();

    spin_lock(&queue->lock);
    list_del(&thread->wait_link);
    set_waiting(false);
    spin_unlock(&queue->lock);
}
