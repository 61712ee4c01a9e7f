/* For the tests of Moss's threads on the host: what the scheduler needs from the rest of the kernel. The
 * switch is Moss's own (kernel/switch.S). */
#ifndef THREAD_HOST_H
#define THREAD_HOST_H

#include "guestos/include/thread.h"
#include "guestos/include/trap.h"

/* Start the scheduler on CPU 0, in the test itself; the test goes on as the idle thread, with interrupts on.
 */
void threads_begin(void);

/* Make a thread and start it. */
struct thread *thread_run(const char *name, void (*fn)(void *arg));

/* The timer interrupts: its handler runs, and then what happens on the return to where interrupts are on. */
void timer_interrupt(void);

/* Only its handler. */
void timer_handler(void);

/* How many threads are in the CPU's run queue; fails if one is there twice. */
unsigned threads_ready(struct cpu *cpu);

/* What came to pass, a letter each. */
void note(char letter);
extern char notes[256];

extern unsigned objects_in_use, stacks_in_use; /* kmalloc() and map_alloc() without their opposites */
extern bool memory_is_used_up;                 /* kmalloc() gives nothing */
extern bool addresses_are_used_up;             /* map_alloc() gives nothing */
extern unsigned ends_of_interrupts;            /* apic_eoi() */
extern unsigned ticks_started;                 /* apic_start_tick() */
extern uint64_t kernel_stack;                  /* for traps from programs, as last set */
extern bool nobody_types;                      /* `notty` is on the command line */
extern unsigned power_offs;

/* A thread that notes its name before, between and after two sleeps. */
void sleep_twice(void *arg);

/* As wait_prepare() leaves the thread that calls. */
static inline void prepare_to_wait(void)
{
    current_thread()->state = THREAD_WAITING;
}

static inline void note_name(void)
{
    note(current_thread()->name[0]);
}

#endif
