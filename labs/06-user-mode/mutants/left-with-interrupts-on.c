/* In: guestos/proc/syscall.c. Caught by: unit_syscall.a_call_runs_with_interrupts_on. Mistake: an interrupt
 * comes between the last look at signals and the return. */
bool syscall_dispatch(struct trapframe *frame)
{
    struct process *process = current_process();
    uint64_t next = frame->rip;

    process->frame = frame;
    irq_enable();
    if (process->watched)
        syscall_watcher->before(process, frame);
    frame->rax = call(frame);
    if (process->watched)
        syscall_watcher->after(process, frame);
    trap_leave(frame);
    irq_disable();
    return frame->rip == next && next < USER_END && frame->vector == SYSCALL_VECTOR &&
           !(frame->rflags & RFLAGS_TF);
}
