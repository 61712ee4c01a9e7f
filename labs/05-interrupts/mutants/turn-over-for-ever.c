/* In: guestos/kernel/thread.c. Caught by: unit_scheduler.a_turn_lasts_until_the_next_tick. Mistake:
 * need_resched stays set: the next thread gives way at once. */
static void switch_away(bool yield)
{
    bool irq_was_on = irq_enabled();

    irq_disable(); /* first: which CPU is ours must not change before its queue is locked */
    struct cpu *cpu = this_cpu();
    spin_lock(&cpu->run_lock);
    struct thread *current = cpu->current;
    if (current != cpu->idle && (yield || current->state == THREAD_READY))
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
