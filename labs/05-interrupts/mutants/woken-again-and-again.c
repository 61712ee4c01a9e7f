/* In: guestos/kernel/wait.c. Caught by: unit_wait.a_woken_sleeper_leaves_the_list. Mistake: leaves the
 * woken in the list. */
void wake_sleepers(void)
{
    uint64_t now = clock_ns();

    spin_lock(&sleep_lock);
    list_for_each (link, &sleepers) {
        struct thread *thread = list_entry(link, struct thread, sleep_link);
        if (thread->wake_at <= now) {
            thread_wake(thread);
        }
    }
    spin_unlock(&sleep_lock);
}
