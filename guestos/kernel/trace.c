/*
 * The boot option `trace`: tell the hypervisor of system calls, switches, page faults and interrupts. An
 * event is a few stores into a ring in our memory; only a ring that is full costs an exit. The protocol
 * stands in the hypervisor's inspect/trace_guest.c.
 */
#include "boot.h"
#include "cpu.h"
#include "frames.h"
#include "init.h"
#include "io.h"
#include "printk.h"
#include "process.h"
#include "strace.h"
#include "string.h"
#include "thread.h"
#include "trap.h"

#define TRACE_PORT    0xe4
#define TRACE_PRESENT 0x54 /* what reading the port gives where a trace is being made */
#define EVENTS        256
#define SYS_EXECVE    59

enum { SYSCALL_EVENT = 2, SWITCH_EVENT, FAULT_EVENT, INTERRUPT_EVENT, NAME_EVENT };

struct event {
    uint64_t begin, end; /* time stamp counter */
    uint32_t kind;
    uint32_t task; /* process; 0: the kernel */
    uint64_t addr, value;
    char name[24];
};

struct ring {
    uint32_t head, tail; /* events written by us, and taken by the hypervisor */
    uint32_t unused[14];
    struct event events[EVENTS];
};

static struct ring *rings[MAX_CPUS]; /* each CPU writes to its own, interrupts off: no lock is needed */
static bool no_memory;               /* for one of them: none is made any more */
static uint64_t switched[MAX_CPUS];  /* when its current thread got the CPU */
static int named[MAX_CPUS];          /* the process whose name was told last */

/* This CPU's ring; the first event on a CPU makes it. NULL: no memory. */
static struct ring *ring_here(void)
{
    struct ring **ring = &rings[this_cpu()->id];

    if (*ring || no_memory)
        return *ring;
    uint64_t physical = frames_alloc_together((sizeof(**ring) + PAGE_SIZE - 1) / PAGE_SIZE);
    if (!physical) {
        no_memory = true;
        return NULL;
    }
    *ring = phys_to_virt(physical);
    memset(*ring, 0, sizeof(**ring));
    out32(TRACE_PORT, physical / PAGE_SIZE);
    return *ring;
}

/* Put an event into the ring of this CPU. Interrupts are off. */
static void put(const struct event *event)
{
    struct ring *ring = ring_here();

    if (!ring)
        return;
    ring->events[ring->head % EVENTS] = *event;
    __atomic_store_n(&ring->head, ring->head + 1, __ATOMIC_RELEASE); /* after the event itself */
    if (ring->head - __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE) >= EVENTS)
        out32(TRACE_PORT, 0); /* the hypervisor empties it now */
}

/* Numbers become names when another process than before has something to tell. */
static void put_name(const struct process *process)
{
    struct event event = {.kind = NAME_EVENT, .task = process->pid};

    if (named[this_cpu()->id] == process->pid)
        return;
    named[this_cpu()->id] = process->pid;
    strcopy(event.name, process->name, sizeof(event.name));
    put(&event);
}

/* The name, kind, addr and value of the event are set; the rest is done here. */
static void tell(struct event *event, const struct thread *thread, uint64_t began)
{
    bool irq_was_on = irq_enabled();

    irq_disable();
    event->begin = began;
    event->end = read_tsc();
    if (thread->process) {
        event->task = thread->process->pid;
        put_name(thread->process);
    }
    put(event);
    if (irq_was_on)
        irq_enable();
}

static void tell_trap(const struct trapframe *frame, const struct trap_began *began)
{
    struct event event = {.kind = FAULT_EVENT, .addr = frame->rip, .value = began->error};

    if (began->vector == SYSCALL_VECTOR) {
        event.kind = SYSCALL_EVENT;
        event.value = frame->rax;
        syscall_name(began->error, event.name, sizeof(event.name));
        if (began->error == SYS_EXECVE)
            named[this_cpu()->id] = 0; /* it has another name now */
    } else if (began->vector == TRAP_PAGE_FAULT) {
        event.addr = began->cr2;
        strcopy(event.name, "page fault", sizeof(event.name));
    } else if (began->vector < IRQ_VECTOR) {
        format(event.name, sizeof(event.name), "exception %lu", began->vector);
    } else if (began->vector == TIMER_VECTOR) {
        event.kind = INTERRUPT_EVENT;
        strcopy(event.name, "timer", sizeof(event.name));
    } else {
        event.kind = INTERRUPT_EVENT;
        format(event.name, sizeof(event.name), "line %lu", began->vector - IRQ_VECTOR);
    }
    tell(&event, current_thread(), began->tsc);
}

/* An event is the time that a thread had the CPU: it is told when the next one gets it. */
static void tell_switch(const struct thread *before, const struct thread *next)
{
    struct event event = {.kind = SWITCH_EVENT, .value = next->process ? next->process->pid : 0};
    uint64_t *since = &switched[this_cpu()->id];

    strcopy(event.name, before->process ? before->process->name : before->name, sizeof(event.name));
    tell(&event, before, *since ?: read_tsc());
    *since = read_tsc();
}

static void trace_init(void)
{
    if (!boot_flag("trace"))
        return;
    if (in8(TRACE_PORT) != TRACE_PRESENT) {
        warn("trace: nobody listens; start this with terrarium run --trace FILE\r\n");
        return;
    }
    trap_watcher = tell_trap;
    switch_watcher = tell_switch;
}

INIT(INIT_FS, trace_init);
