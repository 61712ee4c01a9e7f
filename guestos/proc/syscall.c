/* From the number of a system call to the function that does it. */
#include "cpu.h"
#include "errno.h"
#include "init.h"
#include "process.h"
#include "syscall.h"
#include "trap.h"

#define CALLS_MAX 512

extern const struct syscall __start_syscalls[], __stop_syscalls[];
void syscall_entry(void);

const struct syscall_watcher *syscall_watcher;
static const struct syscall *table[CALLS_MAX];

const struct syscall *syscall_find(uint64_t number)
{
    return number < CALLS_MAX ? table[number] : NULL;
}

static uint64_t call(const struct trapframe *f)
{
    const struct syscall *syscall = syscall_find(f->rax);

    return syscall ? syscall->call(f->rdi, f->rsi, f->rdx, f->r10, f->r8, f->r9) : -ENOSYS;
}

/*
 * Called by syscall_entry.S with interrupts off. Returns true if SYSRET may be used: the program goes on
 * where it was, at an address that is a program's.
 */
bool syscall_dispatch(struct trapframe *frame)
{
    struct process *process = current_process();
    struct trap_began began = {SYSCALL_VECTOR, frame->rax, 0, trap_watcher ? read_tsc() : 0};
    uint64_t next = frame->rip;

    process->frame = frame;
    irq_enable();
    if (process->watched)
        syscall_watcher->before(process, frame);
    frame->rax = call(frame);
    if (process->watched)
        syscall_watcher->after(process, frame);
    irq_disable();
    if (trap_watcher)
        trap_watcher(frame, &began);
    trap_leave(frame);
    return frame->rip == next && next < USER_END && frame->vector == SYSCALL_VECTOR &&
           !(frame->rflags & RFLAGS_TF);
}

static void syscall_init(void)
{
    for (const struct syscall *s = __start_syscalls; s < __stop_syscalls; s++)
        table[s->number] = s;
    /* SYSRET loads CS from bits 63..48 plus 16, and SS from there plus 8. */
    write_msr(MSR_STAR, (uint64_t)(USER_DS - 8) << 48 | (uint64_t)KERNEL_CS << 32);
    write_msr(MSR_LSTAR, (uint64_t)syscall_entry);
    write_msr(MSR_SFMASK, RFLAGS_IF | RFLAGS_TF | RFLAGS_DF | RFLAGS_AC | RFLAGS_NT | RFLAGS_IOPL);
}

INIT(INIT_TRAPS, syscall_init);
