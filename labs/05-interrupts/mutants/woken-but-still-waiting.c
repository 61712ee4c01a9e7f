/* In: guestos/kernel/thread.c. Caught by: unit_thread.a_wake_before_the_sleep_is_not_lost. Mistake: only
 * queues the thread: a current one that is woken sleeps all the same. */
static void make_ready(struct thread *thread, enum thread_state from)
{
    struct cpu *cpu = thread->cpu;

    spin_lock(&cpu->run_lock);
    if (thread->state == from) {
        if (thread != cpu->current && !thread->queued)
            enqueue(thread);
        if (cpu->current == cpu->idle)
            cpu->need_resched = true;
    }
    spin_unlock(&cpu->run_lock);
}
