/* In: guestos/kernel/thread.c. Caught by: unit_scheduler.the_tick_tells_its_end. Mistake: forgets EOI: the
 * first tick is the last interrupt. */
static void tick(struct trapframe *frame)
{
    struct cpu *cpu = this_cpu();

    cpu->ticks++;
    cpu->current->ticks++;
    cpu->need_resched = true;
    if (cpu->id == 0)
        wake_sleepers();
    (void)frame;
}
