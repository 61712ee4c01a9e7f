/* In: guestos/kernel/thread.c. Caught by: unit_thread.a_thread_goes_back_to_its_own_cpu. Mistake: takes
 * the CPU that wakes for the one that the thread belongs to. */
static void make_ready(struct thread *thread, enum thread_state from)
{
    struct cpu *cpu = this_cpu();

    spin_lock(&cpu->run_lock);
    if (thread->state == from) {
        thread->state = THREAD_READY;
        if (thread != cpu->current && !thread->queued)
            enqueue(thread);
        if (cpu->current == cpu->idle)
            cpu->need_resched = true;
    }
    spin_unlock(&cpu->run_lock);
}
