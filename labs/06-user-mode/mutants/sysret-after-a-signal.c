/* In: guestos/proc/syscall.c. Caught by: unit_syscall.a_frame_that_was_changed_needs_iret. Mistake: does not
 * notice that RIP was changed; SYSRET loses RCX and R11. */
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
    irq_disable();
    trap_leave(frame);
    return next < USER_END && frame->vector == SYSCALL_VECTOR && !(frame->rflags & RFLAGS_TF);
}
