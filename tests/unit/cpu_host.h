/*
 * For the tests of Moss's kernel on the host: the instructions that only a kernel may execute. The host's CPU
 * refuses them to a test program (#GP, which Linux turns into SIGSEGV); what they would have done is noted
 * here instead, and the program goes on behind them.
 */
#ifndef CPU_HOST_H
#define CPU_HOST_H

#include <stdbool.h>
#include <stdint.h>

/* From now on, to the end of the test (cmocka has a handler of its own for each): call it in the test itself.
 */
void cpu_host_begin(void);

extern uint64_t cpu_host_cr2; /* what MOV from CR2 reads */
extern bool cpu_host_irq_on;  /* as STI and CLI left it */

/* WRMSR: who wants to be told (may be NULL), and what a register has; 0: nothing was written. */
extern void (*cpu_host_on_wrmsr)(uint32_t msr, uint64_t value);
uint64_t cpu_host_msr(uint32_t number);

/* From now on this is the CPU that the test runs on: this_cpu() gives &cpus[id]. */
void cpu_host_be(unsigned id);

/* INVLPG: how often, the last address, and who wants to be told at that very moment (may be NULL). */
extern unsigned cpu_host_flushes;
extern uint64_t cpu_host_flushed;
extern void (*cpu_host_on_flush)(uint64_t address);

/* MOV to CR3: how often, the value that it has now, and who wants to be told at that very moment (may be
 * NULL). */
extern uint64_t cpu_host_cr3;
extern unsigned cpu_host_cr3_loads;
extern void (*cpu_host_on_cr3)(void);

/* LIDT: the last table; NULL: none was loaded. */
extern const void *cpu_host_idt;
extern uint16_t cpu_host_idt_limit;

#endif
