/* In: guestos/kernel/wait.c. Caught by: unit_wait.a_deadline_ends_the_wait. Mistake: wakes all sleepers
 * at each tick. */
void wake_sleepers(void)
{
    uint64_t now = clock_ns();

    spin_lock(&sleep_lock);
    list_for_each (link, &sleepers) {
        struct thread *thread = list_entry(link, struct thread, sleep_link);
        (void)now;
        {
            list_del(&thread->sleep_link);
            thread_wake(thread);
        }
    }
    spin_unlock(&sleep_lock);
}
