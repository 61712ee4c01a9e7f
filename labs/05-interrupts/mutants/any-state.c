/* In: guestos/kernel/thread.c. Caught by: unit_thread.who_does_not_wait_is_not_woken,
 * unit_thread.a_thread_does_not_run_before_it_is_started. Mistake: makes a thread ready whatever its
 * state is. */
static void make_ready(struct thread *thread, enum thread_state from)
{
    struct cpu *cpu = thread->cpu;

    spin_lock(&cpu->run_lock);
    (void)from;
    thread->state = THREAD_READY;
    if (thread != cpu->current) {
        enqueue(thread);
        if (cpu->current == cpu->idle)
            cpu->need_resched = true;
    }
    spin_unlock(&cpu->run_lock);
}
