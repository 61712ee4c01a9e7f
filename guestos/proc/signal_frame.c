/* Signal frames: the program's registers go to its own stack, and come back from there (Linux:
 * arch/x86/kernel/signal.c). */
#include "cpu.h"
#include "errno.h"
#include "layout.h"
#include "signal_frame.h"
#include "string.h"
#include "syscall.h"
#include "user.h"

#define RED_ZONE          128 /* a function may use this much below its stack pointer (System V ABI §3.2.2) */
#define UC_FLAGS          0x6 /* UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS */
#define MXCSR_OFFSET      24
#define MXCSR_VALID       0xffff
#define FLAGS_OF_PROGRAMS 0x50dd5 /* CF PF AF ZF SF TF DF OF RF AC */

struct signal_frame {
    uint64_t return_address;
    struct ucontext ucontext;
    struct siginfo siginfo;
};

static bool on_alternate_stack(const struct sigaltstack *stack, uint64_t sp)
{
    return !(stack->flags & SS_DISABLE) && sp > stack->sp && sp - stack->sp <= stack->size;
}

static uint64_t choose_stack(const struct process *process, const struct trapframe *frame,
                             const struct sigaction *action)
{
    const struct sigaltstack *stack = &process->signals.stack;

    if ((action->flags & SA_ONSTACK) && !(stack->flags & SS_DISABLE) &&
        !on_alternate_stack(stack, frame->rsp))
        return stack->sp + stack->size;
    return frame->rsp - RED_ZONE;
}

/* CR2 is that of the fault, and 0 without one: the CPU's may be of another fault by now. */
static struct sigcontext save_registers(const struct trapframe *f, uint64_t blocked, uint64_t fpstate,
                                        uint64_t cr2)
{
    return (struct sigcontext){
        .r8 = f->r8,
        .r9 = f->r9,
        .r10 = f->r10,
        .r11 = f->r11,
        .r12 = f->r12,
        .r13 = f->r13,
        .r14 = f->r14,
        .r15 = f->r15,
        .rdi = f->rdi,
        .rsi = f->rsi,
        .rbp = f->rbp,
        .rbx = f->rbx,
        .rdx = f->rdx,
        .rax = f->rax,
        .rcx = f->rcx,
        .rsp = f->rsp,
        .rip = f->rip,
        .eflags = f->rflags,
        .cs = f->cs,
        .ss = f->ss,
        .err = f->error,
        .trapno = f->vector,
        .oldmask = blocked,
        .cr2 = cr2,
        .fpstate = fpstate,
    };
}

/* What comes back may have been changed by the program: only what a program may set is taken. */
static void load_registers(struct trapframe *f, const struct sigcontext *c)
{
    f->r8 = c->r8, f->r9 = c->r9, f->r10 = c->r10, f->r11 = c->r11;
    f->r12 = c->r12, f->r13 = c->r13, f->r14 = c->r14, f->r15 = c->r15;
    f->rdi = c->rdi, f->rsi = c->rsi, f->rbp = c->rbp, f->rbx = c->rbx;
    f->rdx = c->rdx, f->rax = c->rax, f->rcx = c->rcx, f->rsp = c->rsp, f->rip = c->rip;
    f->rflags = (c->eflags & FLAGS_OF_PROGRAMS) | RFLAGS_IF | 2;
    f->cs = USER_CS;
    f->ss = USER_DS;
    f->vector = 0; /* not a system call any more: nothing is to be started again */
}

struct siginfo signal_info(int signal, const struct signal_cause *cause)
{
    struct siginfo info = {.signo = signal, .code = cause->code};

    if (signal == SIGSEGV || signal == SIGBUS || signal == SIGILL || signal == SIGFPE || signal == SIGTRAP) {
        info.address = cause->address;
    } else {
        info.from.pid = cause->pid;
        info.from.status = cause->status;
    }
    return info;
}

int signal_frame_push(struct process *process, struct trapframe *frame, int signal,
                      const struct sigaction *action, const struct signal_cause *cause, uint64_t blocked)
{
    uint64_t fpstate = ROUND_DOWN(choose_stack(process, frame, action) - FPU_STATE, 64);
    uint64_t at = ROUND_DOWN(fpstate - sizeof(struct signal_frame), 16) - 8; /* as after a call */
    uint8_t fpu[FPU_STATE] __attribute__((aligned(16)));
    struct signal_frame new = {
        .return_address = action->restorer,
        .ucontext.flags = UC_FLAGS,
        .ucontext.stack = process->signals.stack,
        .ucontext.context = save_registers(frame, blocked, fpstate, cause->address),
        .ucontext.mask = blocked,
        .siginfo = signal_info(signal, cause),
    };

    fpu_save(fpu);
    if (copy_to_user(fpstate, fpu, sizeof(fpu)) != 0 || copy_to_user(at, &new, sizeof(new)) != 0)
        return -EFAULT;
    frame->rip = action->handler;
    frame->rsp = at;
    frame->rdi = signal;
    frame->rsi = at + offsetof(struct signal_frame, siginfo);
    frame->rdx = at + offsetof(struct signal_frame, ucontext);
    frame->rax = 0;
    frame->rflags &= ~(uint64_t)(RFLAGS_DF | RFLAGS_TF);
    frame->vector = 0;
    return 0;
}

static int restore_fpu(uint64_t fpstate)
{
    uint8_t fpu[FPU_STATE] __attribute__((aligned(16)));
    uint32_t mxcsr;

    if (!fpstate) {
        fpu_initial(fpu);
    } else if (copy_from_user(fpu, fpstate, sizeof(fpu)) != 0) {
        return -EFAULT;
    }
    memcpy(&mxcsr, fpu + MXCSR_OFFSET, sizeof(mxcsr));
    mxcsr &= MXCSR_VALID; /* loading a reserved bit faults */
    memcpy(fpu + MXCSR_OFFSET, &mxcsr, sizeof(mxcsr));
    irq_disable(); /* a switch would save and load around us, which is right, but not in the middle */
    fpu_load(fpu);
    irq_enable();
    return 0;
}

static ssize_t sys_rt_sigreturn(void)
{
    struct process *process = current_process();
    struct trapframe *frame = process->frame;
    struct ucontext ucontext;
    uint64_t at = frame->rsp - 8 + offsetof(struct signal_frame, ucontext);

    if (copy_from_user(&ucontext, at, sizeof(ucontext)) != 0 || restore_fpu(ucontext.context.fpstate) != 0)
        process_exit(SIGSEGV);
    load_registers(frame, &ucontext.context);
    signal_set_blocked(process, ucontext.mask);
    return frame->rax;
}

SYSCALL(15, sys_rt_sigreturn);
