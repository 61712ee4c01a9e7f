/* Traps: exceptions, interrupts and system calls, and the registers they leave on the kernel stack. */
#ifndef TRAP_H
#define TRAP_H

#include "layout.h"
#include "types.h"

#define TRAP_BREAKPOINT   3
#define TRAP_DOUBLE_FAULT 8
#define TRAP_PAGE_FAULT   14
#define IRQ_VECTOR        32 /* of interrupt line 0; the others follow */
#define TIMER_VECTOR      0xf0
#define SPURIOUS_VECTOR   0xff
#define SYSCALL_VECTOR    0x100 /* in a trapframe: made by SYSCALL, and error is the number of the call */

/* Error code of a page fault (Intel SDM 3A §4.7). */
#define FAULT_PRESENT 0x1
#define FAULT_WRITE   0x2
#define FAULT_USER    0x4
#define FAULT_FETCH   0x10

/* The order is that of the pushes in kernel/trap_entry.S, last pushed first. */
struct trapframe {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
    uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
    uint64_t vector, error;
    uint64_t rip, cs, rflags, rsp, ss; /* pushed by the CPU */
};

static inline bool from_user(const struct trapframe *frame)
{
    return (frame->cs & 3) == 3;
}

typedef void trap_handler(struct trapframe *frame);

/* Have handler called for a vector. Each vector has one handler. */
void trap_handle(unsigned vector, trap_handler *handler);

/* Who decides about an exception that no handler was registered for, if it came from a program. */
void trap_handle_user(trap_handler *handler);

/*
 * Have hook(frame) called, interrupts off, before every return to a place where interrupts are on, programs
 * included: the place for pre-emption and signals. Hooks run in the order of registration; TRAP_HOOKS is
 * their limit.
 */
void trap_on_return(trap_handler *hook);
void trap_leave(struct trapframe *frame);

#define TRAP_HOOKS 4

/* How a trap began. At its end the frame may be another one (execve), and so may CR2: whoever handles a page
 * fault may have slept. */
struct trap_began {
    uint64_t vector, error;
    uint64_t cr2, tsc; /* only if there is a trap_watcher */
};

/* Whoever wants to know of every trap that was handled, system calls included; NULL: nobody. Called before
 * the return. */
extern void (*trap_watcher)(const struct trapframe *frame, const struct trap_began *began);

/* Print the registers in the frame. */
void print_registers(const struct trapframe *frame);

/* In assembly: leave the kernel through this frame. */
void trap_return(struct trapframe *frame) __attribute__((noreturn));

/*
 * If the kernel faulted at an instruction that is allowed to (it touches a program's memory), go on at its
 * fix-up and return true.
 */
bool trap_fixup(struct trapframe *frame);

/* Is this instruction of the kernel allowed to fault? */
bool trap_has_fixup(uint64_t rip);

#endif
