/* Threads and the scheduler: round robin over a queue for each CPU. */
#include "apic.h"
#include "boot.h"
#include "gdt.h"
#include "heap.h"
#include "init.h"
#include "paging.h"
#include "printk.h"
#include "string.h"
#include "thread.h"
#include "trap.h"

void switch_stacks(uint64_t *save_rsp, uint64_t load_rsp);
void thread_begin(void);

void (*switch_watcher)(const struct thread *before, const struct thread *next);
void (*before_choice)(void);
static struct thread boot_threads[MAX_CPUS]; /* those that the CPUs came up with; they idle */
static struct thread *leaving[MAX_CPUS];     /* who gave up the CPU in the switch under way */
static unsigned alive;                       /* threads that are not boot threads */

static void thread_init(struct thread *thread, const char *name)
{
    strcopy(thread->name, name, sizeof(thread->name));
    thread->cpu = this_cpu();
    thread->pml4 = kernel_pml4;
    list_init(&thread->run_link);
    list_init(&thread->wait_link);
    list_init(&thread->sleep_link);
}

struct thread *thread_create(const char *name, void (*fn)(void *arg), void *arg)
{
    struct thread *thread = kmalloc(sizeof(*thread));

    if (!thread)
        return NULL;
    thread_init(thread, name);
    thread->state = THREAD_NEW;
    thread->stack = map_alloc(STACK_PAGES);
    if (!thread->stack) {
        kfree(thread);
        return NULL;
    }
    uint64_t *sp = (uint64_t *)(thread->stack + STACK_PAGES * PAGE_SIZE);
    *--sp = (uint64_t)thread_begin; /* its calls find the stack aligned to 16 bytes, as the ABI wants */
    *--sp = 0;                      /* rbp: a backtrace ends here */
    *--sp = 0;                      /* rbx */
    *--sp = (uint64_t)fn;           /* r12 */
    *--sp = (uint64_t)arg;          /* r13 */
    *--sp = 0;                      /* r14 */
    *--sp = 0;                      /* r15 */
    thread->rsp = (uint64_t)sp;
    __atomic_fetch_add(&alive, 1, __ATOMIC_SEQ_CST);
    return thread;
}

void thread_discard(struct thread *thread)
{
    map_free(thread->stack, STACK_PAGES);
    kfree(thread);
    __atomic_fetch_sub(&alive, 1, __ATOMIC_SEQ_CST);
}

/* Without a thread and with nobody who could type, nothing would ever happen again. */
static void end_if_all_is_done(void)
{
    if (!__atomic_load_n(&alive, __ATOMIC_SEQ_CST) && boot_flag("notty"))
        power_off(0);
}

static void enqueue(struct thread *thread)
{
    thread->queued = true;
    list_add_before(&thread->cpu->run_queue, &thread->run_link);
}

static struct thread *dequeue(struct cpu *cpu)
{
    if (list_empty(&cpu->run_queue))
        return cpu->idle;
    struct thread *thread = list_entry(cpu->run_queue.next, struct thread, run_link);
    list_del(&thread->run_link);
    thread->queued = false;
    return thread;
}

/* Make the thread ready if it is in the state `from`. */
static void make_ready(struct thread *thread, enum thread_state from)
{
    struct cpu *cpu = thread->cpu;

    spin_lock(&cpu->run_lock);
    if (thread->state == from) {
        thread->state = THREAD_READY;
        if (thread != cpu->current && !thread->queued)
            enqueue(thread);
        if (cpu->current == cpu->idle)
            cpu->need_resched = true;
    }
    spin_unlock(&cpu->run_lock);
}

void thread_start(struct thread *thread)
{
    make_ready(thread, THREAD_NEW);
}

void thread_wake(struct thread *thread)
{
    make_ready(thread, THREAD_WAITING);
}

void thread_interrupt(struct thread *thread)
{
    __atomic_store_n(&thread->interrupted, true, __ATOMIC_SEQ_CST);
    thread_wake(thread);
}

/* The second half of every switch, on the new thread's stack: the old one is now safe to run elsewhere, or to
 * free. */
void finish_switch(void)
{
    struct cpu *cpu = this_cpu();
    struct thread *before = leaving[cpu->id];
    bool dead = before->state == THREAD_DEAD;

    spin_unlock(&cpu->run_lock);
    if (dead) {
        thread_discard(before);
        end_if_all_is_done();
    }
}

static void switch_to(struct cpu *cpu, struct thread *before, struct thread *next)
{
    if (switch_watcher)
        switch_watcher(before, next);
    if (before->switch_out)
        before->switch_out(before);
    leaving[cpu->id] = before;
    cpu->current = next;
    if (next->stack)
        gdt_set_kernel_stack((uint64_t)next->stack + STACK_PAGES * PAGE_SIZE);
    if (read_cr3() != next->pml4)
        write_cr3(next->pml4);
    if (next->switch_in)
        next->switch_in(next);
    switch_stacks(&before->rsp, next->rsp);
}

/* `yield`: the current thread stays ready even if it has prepared to wait, because it did not come here to
 * wait. */
static void switch_away(bool yield)
{
    bool irq_was_on = irq_enabled();

    irq_disable(); /* first: which CPU is ours must not change before its queue is locked */
    struct cpu *cpu = this_cpu();
    spin_lock(&cpu->run_lock);
    struct thread *current = cpu->current;
    cpu->need_resched = false;
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

bool some_cpu_rests(void)
{
    for (struct cpu *cpu = cpus; cpu < cpus + MAX_CPUS; cpu++) {
        const struct thread *current = cpu->current;
        bool waits = current && (current == cpu->idle || current->state != THREAD_READY);
        if (waits && list_empty(&cpu->run_queue))
            return true;
    }
    return false;
}

static void choose(bool yield)
{
    if (before_choice)
        before_choice();
    switch_away(yield);
}

void schedule(void)
{
    choose(false);
}

void preempt(void)
{
    if (this_cpu()->need_resched)
        choose(true);
}

void thread_exit(void)
{
    irq_disable();
    current_thread()->state = THREAD_DEAD;
    choose(false);
    panic("a dead thread ran");
}

static void tick(struct trapframe *frame)
{
    struct cpu *cpu = this_cpu();

    apic_eoi();
    cpu->ticks++;
    cpu->current->ticks++;
    cpu->need_resched = true;
    if (cpu->id == 0)
        wake_sleepers();
    (void)frame;
}

/* Before every return to where interrupts are on: the place to let another thread run. */
static void return_hook(struct trapframe *frame)
{
    (void)frame;
    preempt();
}

static void scheduler_init(void)
{
    struct cpu *cpu = this_cpu();
    struct thread *boot_thread = &boot_threads[cpu->id];

    thread_init(boot_thread, "idle");
    cpu->idle = cpu->current = boot_thread;
    trap_handle(TIMER_VECTOR, tick);
    trap_on_return(return_hook);
}

static void scheduler_start(void)
{
    apic_start_tick();
    irq_enable();
}

INIT(INIT_TIME, scheduler_init);
INIT(INIT_START, scheduler_start);
INIT(INIT_IDLE, end_if_all_is_done);
