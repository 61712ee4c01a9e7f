/* When memory is used up: the process that has most of it ends, and the others live on. */
#include "clock.h"
#include "printk.h"
#include "process.h"

static struct wait_queue memory_freed = WAIT_QUEUE_INIT(memory_freed);

/* The process with the most pages, but never init. With process_lock held. */
static struct process *find_largest(void)
{
    struct process *largest = NULL;

    list_for_each (link, &processes) {
        struct process *p = list_entry(link, struct process, all);
        if (p != init_process && p->vm && (!largest || p->vm->resident > largest->vm->resident))
            largest = p;
    }
    return largest;
}

bool out_of_memory(void)
{
    struct process *self = current_process();

    spin_lock(&process_lock);
    struct process *victim = find_largest();
    bool self_goes = !victim || victim == self || self->out_of_memory;
    if (!self_goes && !victim->out_of_memory) {
        victim->out_of_memory = true;
        warn("out of memory: %s (pid %d, %lu pages) is ended\n", victim->name, victim->pid,
             victim->vm->resident);
        signal_send_locked(victim, SIGKILL, (struct signal_cause){.code = SI_KERNEL});
    }
    spin_unlock(&process_lock);
    if (self_goes)
        return false;
    wait_until(&memory_freed, false, clock_ns() + NS_PER_SECOND / TICKS_PER_SECOND, false); /* let it end */
    return true;
}
