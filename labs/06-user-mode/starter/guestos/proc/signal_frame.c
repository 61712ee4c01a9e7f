/*
 * Put into the frame what a program wants its registers to be (sigreturn). Every number here is the
 * program's: of the flags it may choose FLAGS_OF_PROGRAMS only, and its segments not at all. The frame is not
 * a system call's any more (vector 0). Handout, section 4.14.
 */
static void load_registers(struct trapframe *f, const struct sigcontext *c)
{
    (void)f, (void)c;
    lab_todo(6, "load_registers", "handout section 4.14");
}

/*
 * signal_frame.h says what this does. On the stack that choose_stack() gives, from above: the FPU's state, at
 * a multiple of 64; a struct signal_frame, at which RSP is as after a CALL. It has the restorer as return
 * address, UC_FLAGS, the alternate stack (process->signals.stack), save_registers(), the mask `blocked`, and
 * signal_info(). The handler gets signal, siginfo and ucontext in RDI, RSI, RDX, and RAX = 0; it runs with DF
 * and TF clear; the frame is not a system call's any more (vector 0). System V ABI §3.2.2, §3.2.3. Handout,
 * section 4.13.
 */
int signal_frame_push(struct process *process, struct trapframe *frame, int signal,
                      const struct sigaction *action, const struct signal_cause *cause, uint64_t blocked)
{
    (void)process, (void)frame, (void)signal, (void)action, (void)cause, (void)blocked;
    (void)choose_stack, (void)save_registers; /* yours to use */
    return lab_todo(6, "signal_frame_push", "handout section 4.13");
}
