/*
 * thread.h says what this does. The thread is THREAD_NEW and counted in `alive`. On its stack (map_alloc(),
 * STACK_PAGES) lies what switch_stacks() in kernel/switch.S pops: six registers, fn in r12, arg in r13, rbp
 * 0, and as the return address thread_begin. There RSP must be a multiple of 16. thread->rsp points to the
 * first to be popped. Handout, section 4.7.
 */
struct thread *thread_create(const char *name, void (*fn)(void *arg), void *arg)
{
    (void)name, (void)fn, (void)arg, (void)thread_init; /* yours to use */
    lab_todo(5, "thread_create", "handout section 4.7");
    return NULL;
}

/*
 * Make the thread ready if it is in the state `from`; otherwise change nothing. A ready thread is in its
 * CPU's run queue (enqueue()), once, unless it is the one that runs. An idle CPU should look soon:
 * need_resched. All of that is guarded by that CPU's run_lock. Handout, section 4.8.
 */
static void make_ready(struct thread *thread, enum thread_state from)
{
    (void)thread, (void)from, (void)enqueue; /* yours to use */
    lab_todo(5, "make_ready", "handout section 4.8");
}

/*
 * Give the CPU to the first of the run queue. `yield`: the current thread stays ready even if it has prepared
 * to wait, because it did not come here to wait. Else it goes to the end of the queue only if it is
 * THREAD_READY; the idle thread never does. Interrupts are off, and run_lock is held, until the switch is
 * complete: switch_to() and then finish_switch(), which releases the lock. When this returns, perhaps much
 * later, interrupts are as they were. Handout, section 4.9.
 */
static void switch_away(bool yield)
{
    (void)yield, (void)enqueue, (void)dequeue, (void)switch_to; /* yours to use */
    lab_todo(5, "switch_away", "handout section 4.9");
}

/*
 * The timer's interrupt: tell the local APIC the end, count (cpu->ticks, and those of the current thread),
 * and ask for a switch (need_resched), which happens on the way out of the interrupt. CPU 0 also calls
 * wake_sleepers(). Handout, section 4.10.
 */
static void tick(struct trapframe *frame)
{
    (void)frame;
    lab_todo(5, "tick", "handout section 4.10");
}
