/* In: guestos/proc/syscall.c. Caught by: unit_syscall.the_call_can_find_the_programs_registers. Mistake: fork
 * and execve find the registers of an earlier call. */
bool syscall_dispatch(struct trapframe *frame)
{
    struct process *process = current_process();
    uint64_t next = frame->rip;

    irq_enable();
    if (process->watched)
        syscall_watcher->before(process, frame);
    frame->rax = call(frame);
    process->frame = frame;
    if (process->watched)
        syscall_watcher->after(process, frame);
    irq_disable();
    trap_leave(frame);
    return frame->rip == next && next < USER_END && frame->vector == SYSCALL_VECTOR &&
           !(frame->rflags & RFLAGS_TF);
}
