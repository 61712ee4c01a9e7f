/* In: guestos/kernel/thread.c. Caught by: unit_scheduler.who_waits_does_not_run. Mistake: queues every
 * thread, whether it waits or not. */
static void switch_away(bool yield)
{
    (void)yield;
    bool irq_was_on = irq_enabled();

    irq_disable(); /* first: which CPU is ours must not change before its queue is locked */
    struct cpu *cpu = this_cpu();
    spin_lock(&cpu->run_lock);
    struct thread *current = cpu->current;
    cpu->need_resched = false;
    if (current != cpu->idle)
        enqueue(current);
    struct thread *next = dequeue(cpu);
    if (next == current) {
        spin_unlock(&cpu->run_lock);
    } else {
        switch_to(cpu, current, next);
        finish_switch();
    }
    if (irq_was_on)
        irq_enable();
}
