/* In: guestos/proc/signal_frame.c. Caught by: unit_signal_frame.the_handler_starts_like_a_called_function.
 * Mistake: a multiple of 16 where a called function expects 8 more. */
int signal_frame_push(struct process *process, struct trapframe *frame, int signal,
                      const struct sigaction *action, const struct signal_cause *cause, uint64_t blocked)
{
    uint64_t fpstate = ROUND_DOWN(choose_stack(process, frame, action) - FPU_STATE, 64);
    uint64_t at = ROUND_DOWN(fpstate - sizeof(struct signal_frame), 16);
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
