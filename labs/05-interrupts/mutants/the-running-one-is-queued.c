/* In: guestos/kernel/thread.c. Caught by: unit_thread.a_wake_before_the_sleep_is_not_lost. Mistake: puts
 * the current thread into the run queue. */
static void make_ready(struct thread *thread, enum thread_state from)
{
    struct cpu *cpu = thread->cpu;

    spin_lock(&cpu->run_lock);
    if (thread->state == from) {
        thread->state = THREAD_READY;
        if (!thread->queued)
            enqueue(thread);
        if (cpu->current == cpu->idle)
            cpu->need_resched = true;
    }
    spin_unlock(&cpu->run_lock);
}
