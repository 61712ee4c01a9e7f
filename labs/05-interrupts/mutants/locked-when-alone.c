/* In: guestos/kernel/thread.c. Caught by: unit_scheduler.alone_nothing_changes. Mistake: keeps the lock when
 * there is nobody to switch to. */
static void switch_away(bool yield)
{
    bool irq_was_on = irq_enabled();

    irq_disable(); /* first: which CPU is ours must not change before its queue is locked */
    struct cpu *cpu = this_cpu();
    spin_lock(&cpu->run_lock);
    struct thread *current = cpu->current;
    cpu->need_resched = false;
    if (current != cpu->idle && (yield || current->state == THREAD_READY))
        enqueue(current);
    struct thread *next = dequeue(cpu);
    if (next != current) {
        switch_to(cpu, current, next);
        finish_switch();
    }
    if (irq_was_on)
        irq_enable();
}
