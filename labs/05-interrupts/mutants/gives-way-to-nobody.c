/* In: guestos/kernel/thread.c. Caught by: unit_scheduler.alone_nothing_changes. Mistake: looks for the next
 * before it queues the current one: alone it gives way to the idle thread. */
static void switch_away(bool yield)
{
    bool irq_was_on = irq_enabled();

    irq_disable(); /* first: which CPU is ours must not change before its queue is locked */
    struct cpu *cpu = this_cpu();
    spin_lock(&cpu->run_lock);
    struct thread *current = cpu->current;
    cpu->need_resched = false;
    struct thread *next = dequeue(cpu);
    if (current != cpu->idle && (yield || current->state == THREAD_READY))
        enqueue(current);
    if (next == current) {
        spin_unlock(&cpu->run_lock);
    } else {
        switch_to(cpu, current, next);
        finish_switch();
    }
    if (irq_was_on)
        irq_enable();
}
