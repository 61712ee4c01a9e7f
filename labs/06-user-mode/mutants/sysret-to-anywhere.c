/* In: guestos/proc/syscall.c. Caught by: unit_syscall.sysret_is_for_addresses_of_programs_only. Mistake:
 * SYSRET with a non-canonical RIP: some CPUs fault in ring 0, on the program's stack. */
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
    return frame->rip == next && frame->vector == SYSCALL_VECTOR && !(frame->rflags & RFLAGS_TF);
}
