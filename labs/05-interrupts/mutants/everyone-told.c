/* In: guestos/kernel/thread.c. Caught by: unit_thread.an_idle_cpu_is_told_at_once. Mistake: takes the
 * turn away from whoever runs. */
static void make_ready(struct thread *thread, enum thread_state from)
{
    struct cpu *cpu = thread->cpu;

    spin_lock(&cpu->run_lock);
    if (thread->state == from) {
        thread->state = THREAD_READY;
        if (thread != cpu->current && !thread->queued)
            enqueue(thread);
        cpu->need_resched = true;
    }
    spin_unlock(&cpu->run_lock);
}
