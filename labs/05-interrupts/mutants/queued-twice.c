/* In: guestos/kernel/thread.c. Caught by: unit_thread.a_preempted_thread_is_not_queued_again. Mistake:
 * does not ask whether it is in the run queue. */
static void make_ready(struct thread *thread, enum thread_state from)
{
    struct cpu *cpu = thread->cpu;

    spin_lock(&cpu->run_lock);
    if (thread->state == from) {
        thread->state = THREAD_READY;
        if (thread != cpu->current)
            enqueue(thread);
        if (cpu->current == cpu->idle)
            cpu->need_resched = true;
    }
    spin_unlock(&cpu->run_lock);
}
