/* In: guestos/kernel/wait.c. Caught by: unit_wait.each_is_woken_at_its_own_time. Mistake: stops at the
 * first whose time has not come, as if the list were sorted. */
void wake_sleepers(void)
{
    uint64_t now = clock_ns();

    spin_lock(&sleep_lock);
    list_for_each (link, &sleepers) {
        struct thread *thread = list_entry(link, struct thread, sleep_link);
        if (thread->wake_at <= now) {
            list_del(&thread->sleep_link);
            thread_wake(thread);
        } else {
            break;
        }
    }
    spin_unlock(&sleep_lock);
}
