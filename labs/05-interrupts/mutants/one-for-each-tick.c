/* In: guestos/kernel/wait.c. Caught by: unit_wait.all_who_are_due_are_woken. Mistake: wakes one thread
 * and is done. */
void wake_sleepers(void)
{
    uint64_t now = clock_ns();

    spin_lock(&sleep_lock);
    list_for_each (link, &sleepers) {
        struct thread *thread = list_entry(link, struct thread, sleep_link);
        if (thread->wake_at <= now) {
            list_del(&thread->sleep_link);
            thread_wake(thread);
            break;
        }
    }
    spin_unlock(&sleep_lock);
}
