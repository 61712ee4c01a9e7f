/* In: guestos/kernel/thread.c. Caught by: unit_scheduler.one_cpu_wakes_the_sleepers. Mistake: counts on CPU
 * 0 whatever CPU it is. */
static void tick(struct trapframe *frame)
{
    struct cpu *cpu = this_cpu();

    apic_eoi();
    cpus[0].ticks++;
    cpu->current->ticks++;
    cpu->need_resched = true;
    if (cpu->id == 0)
        wake_sleepers();
    (void)frame;
}
