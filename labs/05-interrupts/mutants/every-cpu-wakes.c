/* In: guestos/kernel/thread.c. Caught by: unit_scheduler.one_cpu_wakes_the_sleepers. Mistake: every CPU
 * looks through the sleepers. */
static void tick(struct trapframe *frame)
{
    struct cpu *cpu = this_cpu();

    apic_eoi();
    cpu->ticks++;
    cpu->current->ticks++;
    cpu->need_resched = true;
    wake_sleepers();
    (void)frame;
}
