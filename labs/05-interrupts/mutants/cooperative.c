/* In: guestos/kernel/thread.c. Caught by: unit_scheduler.a_tick_ends_a_turn. Mistake: counts, and takes the
 * CPU from nobody. */
static void tick(struct trapframe *frame)
{
    struct cpu *cpu = this_cpu();

    apic_eoi();
    cpu->ticks++;
    cpu->current->ticks++;
    if (cpu->id == 0)
        wake_sleepers();
    (void)frame;
}
