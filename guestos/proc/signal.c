/* Signals: sending, and what happens to a program on its way back from the kernel. */
#include "cpu.h"
#include "errno.h"
#include "fault.h"
#include "init.h"
#include "layout.h"
#include "printk.h"
#include "process.h"
#include "signal_frame.h"
#include "string.h"
#include "syscall.h"

#define BIT(signal) (1ul << ((signal)-1))

#define IGNORED_BY_DEFAULT (BIT(SIGCHLD) | BIT(SIGCONT) | BIT(SIGURG) | BIT(SIGWINCH))
#define STOPS_BY_DEFAULT   (BIT(SIGSTOP) | BIT(SIGTSTP) | BIT(SIGTTIN) | BIT(SIGTTOU))

static bool is_ignored(const struct process *process, int signal)
{
    uint64_t handler = process->signals.actions[signal - 1].handler;

    return handler == SIG_IGN || (handler == SIG_DFL && (BIT(signal) & IGNORED_BY_DEFAULT));
}

static uint64_t deliverable(const struct process *process)
{
    return process->signals.pending & ~process->signals.blocked;
}

/* Stopping and going on undo each other, even before they happen, and even if the signals are blocked or
 * ignored. */
static void settle_job_control(struct process *process, int signal)
{
    if (signal == SIGCONT || signal == SIGKILL) {
        process->signals.pending &= ~STOPS_BY_DEFAULT;
        stop_end(process, signal);
    } else if (BIT(signal) & STOPS_BY_DEFAULT) {
        process->signals.pending &= ~BIT(SIGCONT);
    }
}

int signal_send_locked(struct process *process, int signal, struct signal_cause cause)
{
    struct signal_state *signals = &process->signals;

    if (signal < 0 || signal > SIGNALS)
        return -EINVAL;
    if (signal == 0 || process->zombie)
        return 0; /* 0 only asks whether the process is there */
    settle_job_control(process, signal);
    if (is_ignored(process, signal) && !((signals->blocked | signals->awaited) & BIT(signal)))
        return 0;
    if (process == init_process && signals->actions[signal - 1].handler == SIG_DFL)
        return 0; /* the machine must not lose its first process by a signal that this does not expect */
    if (!(signals->pending & BIT(signal)))
        signals->causes[signal - 1] = cause;
    signals->pending |= BIT(signal);
    if (deliverable(process) || (signals->pending & signals->awaited))
        thread_interrupt(process->thread);
    return 0;
}

int signal_send(struct process *process, int signal, struct signal_cause cause)
{
    spin_lock(&process_lock);
    int error = signal_send_locked(process, signal, cause);
    spin_unlock(&process_lock);
    return error;
}

int signal_send_group(int pgid, int signal, struct signal_cause cause)
{
    int error = -ESRCH;

    spin_lock(&process_lock);
    list_for_each (link, &processes) {
        struct process *process = list_entry(link, struct process, all);
        if (process->pgid == pgid)
            error = signal_send_locked(process, signal, cause);
    }
    spin_unlock(&process_lock);
    return error;
}

void signal_fault(int signal, int code, uint64_t address)
{
    struct process *process = current_process();
    struct signal_state *signals = &process->signals;
    struct sigaction *action = &signals->actions[signal - 1];

    spin_lock(&process_lock);
    if ((signals->blocked & BIT(signal)) || action->handler == SIG_IGN)
        action->handler = SIG_DFL; /* going on would only fault again */
    signals->blocked &= ~BIT(signal);
    signals->causes[signal - 1] = (struct signal_cause){.code = code, .address = address};
    signals->pending |= BIT(signal);
    spin_unlock(&process_lock);
    if (process == init_process && action->handler == SIG_DFL)
        warn("init: fault at %lx, address %lx\r\n", process->frame ? process->frame->rip : 0, address);
}

void signal_set_blocked(struct process *process, uint64_t blocked)
{
    spin_lock(&process_lock);
    process->signals.blocked = blocked & ~(BIT(SIGKILL) | BIT(SIGSTOP));
    process->thread->interrupted = deliverable(process) != 0;
    spin_unlock(&process_lock);
}

void signal_reset_handlers(struct process *process)
{
    for (int i = 0; i < SIGNALS; i++) {
        struct sigaction *action = &process->signals.actions[i];
        uint64_t handler = action->handler == SIG_IGN ? SIG_IGN : SIG_DFL;
        *action = (struct sigaction){.handler = handler};
    }
    process->signals.stack = (struct sigaltstack){.flags = SS_DISABLE};
}

/* Take the pending signal that goes first. Faults go first: they belong to the instruction at hand. Returns 0
 * if there is none. */
static int take_signal(struct process *process, struct sigaction *action, struct signal_cause *cause)
{
    const uint64_t faults = BIT(SIGSEGV) | BIT(SIGBUS) | BIT(SIGILL) | BIT(SIGFPE) | BIT(SIGTRAP);
    struct signal_state *signals = &process->signals;
    int signal = 0;

    spin_lock(&process_lock);
    uint64_t set = deliverable(process);
    if (set & BIT(SIGKILL))
        set = BIT(SIGKILL);
    else if (set & faults)
        set &= faults;
    if (set) {
        signal = __builtin_ctzl(set) + 1;
        signals->pending &= ~BIT(signal);
        *action = signals->actions[signal - 1];
        *cause = signals->causes[signal - 1];
        if (action->handler == SIG_DFL && (BIT(signal) & STOPS_BY_DEFAULT))
            stop_begin(process, signal); /* now: a SIGCONT after this must find it stopped */
    }
    process->thread->interrupted = deliverable(process) != 0;
    spin_unlock(&process_lock);
    return signal;
}

static bool is_interrupted_call(const struct trapframe *frame)
{
    return frame->vector == SYSCALL_VECTOR &&
           (frame->rax == (uint64_t)-ERESTARTSYS || frame->rax == (uint64_t)-ERESTARTNOHAND);
}

/* A system call that a signal has interrupted: again, or give up. `action` is the handler's; NULL: none has
 * run. */
static void settle_interrupted_call(struct trapframe *frame, const struct sigaction *action)
{
    if (!is_interrupted_call(frame))
        return;
    if (!action || (frame->rax == (uint64_t)-ERESTARTSYS && (action->flags & SA_RESTART))) {
        frame->rax = frame->error;
        frame->rip -= 2; /* the length of SYSCALL */
    } else {
        frame->rax = -EINTR;
        current_process()->sleep_until = 0;
    }
}

/* What is blocked while the handler runs. */
static uint64_t mask_for_handler(const struct process *process, int signal, const struct sigaction *action)
{
    uint64_t mask = process->signals.blocked | action->mask;

    return action->flags & SA_NODEFER ? mask : mask | BIT(signal);
}

static void deliver(struct process *process, struct trapframe *frame, int signal,
                    const struct sigaction *action, const struct signal_cause *cause)
{
    struct signal_state *signals = &process->signals;
    uint64_t old_blocked = signals->restore_blocked ? signals->saved_blocked : signals->blocked;

    if (action->handler == SIG_IGN || (action->handler == SIG_DFL && (BIT(signal) & IGNORED_BY_DEFAULT)))
        return;
    if (process->watched)
        syscall_watcher->signal(process, signal, cause);
    if (action->handler == SIG_DFL && (BIT(signal) & STOPS_BY_DEFAULT)) {
        stop_wait(process);
        return;
    }
    if (action->handler == SIG_DFL)
        process_exit(signal);
    settle_interrupted_call(frame, action);
    if (signal_frame_push(process, frame, signal, action, cause, old_blocked) != 0)
        process_exit(SIGSEGV);
    signals->restore_blocked = false;
    if (action->flags & SA_RESETHAND)
        signals->actions[signal - 1].handler = SIG_DFL;
    signal_set_blocked(process, mask_for_handler(process, signal, action));
}

static bool canonical(uint64_t address)
{
    return (uint64_t)((int64_t)(address << 16) >> 16) == address;
}

/* On the way back to a program. */
static void return_hook(struct trapframe *frame)
{
    struct process *process = current_process();
    struct sigaction action;
    struct signal_cause cause;
    int signal;

    if (!from_user(frame) || !process)
        return;
    if (!canonical(frame->rip)) /* IRET would fault in the kernel */
        signal_fault(SIGSEGV, SI_KERNEL, 0);
    if (!deliverable(process) && !process->signals.restore_blocked && !is_interrupted_call(frame))
        return;
    process->frame = frame;
    irq_enable();
    while ((signal = take_signal(process, &action, &cause))) {
        deliver(process, frame, signal, &action, &cause);
        if (!canonical(frame->rip))
            process_exit(SIGSEGV); /* the handler's address is no address */
    }
    settle_interrupted_call(frame, NULL);
    if (process->signals.restore_blocked) {
        process->signals.restore_blocked = false;
        signal_set_blocked(process, process->signals.saved_blocked);
    }
    irq_disable();
}

/* An exception that a program caused. */
static void program_trap(struct trapframe *frame)
{
    static const struct {
        uint8_t signal, code;
    } signals[] = {
        [0] = {SIGFPE, FPE_INTDIV}, [1] = {SIGTRAP, TRAP_BRKPT}, [3] = {SIGTRAP, SI_KERNEL},
        [6] = {SIGILL, ILL_ILLOPN}, [16] = {SIGFPE, 0},          [17] = {SIGBUS, 0},
        [19] = {SIGFPE, 0},
    };

    if (frame->vector < ARRAY_SIZE(signals) && signals[frame->vector].signal)
        signal_fault(signals[frame->vector].signal, signals[frame->vector].code, frame->rip);
    else
        signal_fault(SIGSEGV, SI_KERNEL, 0);
}

/* A page fault of a program, or of the kernel when it copies for one. */
static bool resolve_fault(uint64_t address, struct trapframe *frame)
{
    struct process *process = current_process();
    uint64_t error_code = frame->error;
    uint32_t access = error_code & FAULT_FETCH   ? PROT_EXEC
                      : error_code & FAULT_WRITE ? PROT_WRITE
                                                 : PROT_READ;

    if (!process || !process->vm ||
        (!from_user(frame) && (address >= USER_END || !trap_has_fixup(frame->rip))))
        return false;
    irq_enable();
    /* A fault in a program, but not of its own access: the CPU read something for it, and would again. */
    bool own_access = !from_user(frame) || (error_code & FAULT_USER);
    int error = own_access ? vm_fault(process->vm, address, access) : -EACCES;
    irq_disable();
    if (error == -ENOMEM) {
        warn("out of memory: %s (pid %d) is ended\r\n", process->name, process->pid);
        signal_fault(SIGKILL, SI_KERNEL, 0);
    }
    if (error == 0 || !from_user(frame))
        return error == 0;
    process->frame = frame;
    if (error == -EIO)
        signal_fault(SIGBUS, BUS_ADRERR, address);
    else if (error != -ENOMEM)
        signal_fault(SIGSEGV, error == -EACCES ? SEGV_ACCERR : SEGV_MAPERR, address);
    return true;
}

static void signal_init(void)
{
    trap_handle_user(program_trap);
    fault_set_resolver(resolve_fault);
    trap_on_return(return_hook);
}

INIT(INIT_START, signal_init);
