/* Spinlocks. The first lock taken switches interrupts off, the last one released restores them. */
#include "cpu.h"
#include "printk.h"
#include "spinlock.h"

struct cpu cpus[MAX_CPUS];

void cpu_init(unsigned id)
{
    struct cpu *cpu = &cpus[id];

    cpu->self = cpu;
    cpu->id = id;
    list_init(&cpu->run_queue);
    write_msr(MSR_GS_BASE, (uint64_t)cpu);
}

void spin_lock(struct spinlock *lock)
{
    bool irq_was_on = irq_enabled();

    irq_disable(); /* first: an interrupt handler that wants this lock would wait for ever */
    struct cpu *cpu = this_cpu();
    if (cpu->locks_held++ == 0)
        cpu->irq_was_on = irq_was_on;
    while (__atomic_exchange_n(&lock->locked, true, __ATOMIC_ACQUIRE))
        cpu_relax();
}

void spin_unlock(struct spinlock *lock)
{
    struct cpu *cpu = this_cpu();

    if (!lock->locked)
        panic("a spinlock was released that nobody held");
    __atomic_store_n(&lock->locked, false, __ATOMIC_RELEASE);
    if (--cpu->locks_held == 0 && cpu->irq_was_on)
        irq_enable();
}
