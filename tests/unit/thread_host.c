/* The kernel around Moss's threads. Stacks and objects are never used again: what AddressSanitizer knows of a
 * stack that was left in the middle stays true. */
#include <stdio.h>
#include <sys/mman.h>
#include "tests/unit/cpu_host.h"
#include "tests/unit/moss_host.h"
#include "tests/unit/thread_host.h"
#include "expect.h"
#include "guestos/include/apic.h"
#include "guestos/include/boot.h"
#include "guestos/include/gdt.h"
#include "guestos/include/heap.h"
#include "guestos/include/paging.h"
#include "guestos/include/printk.h"

#define OBJECTS (64 << 10)
#define SPARE_ROOM                                                                                           \
    (1 << 20) /* below a stack: a check that fails, and a signal's frame, want more than Moss has */

__asm__(".pushsection .text\n.include \"guestos/kernel/switch.S\"\n.popsection");

extern const struct init_call __start_inits[], __stop_inits[];

char notes[256];
unsigned objects_in_use, stacks_in_use, ends_of_interrupts, ticks_started, power_offs;
bool memory_is_used_up, addresses_are_used_up, nobody_types;
uint64_t kernel_stack, kernel_pml4 = 0x1000;
static trap_handler *tick_handler, *return_hook;

void *kmalloc(size_t size)
{
    static char objects[OBJECTS] __attribute__((aligned(16)));
    static size_t used;

    if (memory_is_used_up)
        return NULL;
    used += ROUND_UP(size, 16);
    assert_true(used <= sizeof objects);
    objects_in_use++;
    return objects + used - ROUND_UP(size, 16);
}

void kfree(void *p)
{
    objects_in_use -= p != NULL;
}

void *map_alloc(size_t pages)
{
    if (addresses_are_used_up)
        return NULL;
    char *at = mmap(NULL, SPARE_ROOM + pages * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                    -1, 0);
    assert_ptr_not_equal(at, MAP_FAILED);
    stacks_in_use++;
    return at + SPARE_ROOM;
}

void map_free(void *address, size_t pages)
{
    assert_non_null(address);
    assert_int_equal(pages, STACK_PAGES);
    stacks_in_use--;
}

void strcopy(char *to, const char *s, size_t size)
{
    snprintf(to, size, "%s", s);
}

bool boot_flag(const char *word)
{
    return nobody_types && strcmp(word, "notty") == 0;
}

void power_off(unsigned status)
{
    (void)status;
    power_offs++;
    panic("the power is off");
}

void gdt_set_kernel_stack(uint64_t top)
{
    kernel_stack = top;
}

void apic_eoi(void)
{
    ends_of_interrupts++;
}

void apic_start_tick(void)
{
    ticks_started++;
}

void trap_handle(unsigned vector, trap_handler *handler)
{
    assert_int_equal(vector, TIMER_VECTOR);
    tick_handler = handler;
}

void trap_on_return(trap_handler *hook)
{
    return_hook = hook;
}

void note(char letter)
{
    size_t n = strlen(notes);

    assert_true(n + 1 < sizeof notes);
    notes[n] = letter;
}

void threads_begin(void)
{
    cpu_host_begin();
    cpu_host_cr3 = kernel_pml4;
    cpu_host_irq_on = false;
    cpu_host_be(0);
    for (unsigned i = 0; &__start_inits[i] < __stop_inits; i++)
        __start_inits[i].call();
    expect_true(cpu_host_irq_on, "when the scheduler has started, interrupts are on");
}

struct thread *thread_run(const char *name, void (*fn)(void *arg))
{
    struct thread *thread = thread_create(name, fn, NULL);

    expect_true(thread, "thread_create() gives NULL only where memory is used up");
    thread_start(thread);
    return thread;
}

void timer_handler(void)
{
    struct trapframe frame = {.vector = TIMER_VECTOR, .rflags = RFLAGS_IF};
    bool irq_was_on = cpu_host_irq_on;

    cpu_host_irq_on = false; /* the gate's doing, and then IRET's */
    tick_handler(&frame);
    cpu_host_irq_on = irq_was_on;
}

void timer_interrupt(void)
{
    struct trapframe frame = {.vector = TIMER_VECTOR, .rflags = RFLAGS_IF};

    timer_handler();
    cpu_host_irq_on = false;
    return_hook(&frame);
    cpu_host_irq_on = true;
}

unsigned threads_ready(struct cpu *cpu)
{
    const struct list *at = &cpu->run_queue;
    unsigned n = 0;

    while ((at = at->next) != &cpu->run_queue) {
        if (at->next->prev != at || ++n > 100)
            fail_msg("the run queue is no list any more: a thread was put into it that was in it already");
    }
    return n;
}

void sleep_twice(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < 2; i++) {
        note_name();
        prepare_to_wait();
        schedule();
    }
    note_name();
}
