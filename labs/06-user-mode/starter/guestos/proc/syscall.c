/*
 * Do the system call whose number is in RAX, with the six arguments that the program has put into registers,
 * and return its result. -ENOSYS if there is no such call. AMD64 ABI §A.2.1. Handout, section 4.2.
 */
static uint64_t call(const struct trapframe *f)
{
    (void)f;
    return (uint64_t)lab_todo(6, "call", "handout section 4.2");
}

/*
 * Called by syscall_entry.S with interrupts off, with the program's registers in `frame`: let process->frame
 * tell where they are, do the call with interrupts on, put its result into RAX, and leave by trap_leave(),
 * with interrupts off. A process that is `watched` has its syscall_watcher called before and after. Returns
 * true if SYSRET may be used: the program goes on where it was (RIP is the same as at the beginning), that is
 * an address of programs, the frame is still a system call's, and RFLAGS.TF is not set. AMD APM 2 §6.1.1.
 * Handout, section 4.2.
 */
bool syscall_dispatch(struct trapframe *frame)
{
    (void)frame;
    (void)call; /* yours to use */
    lab_todo(6, "syscall_dispatch", "handout section 4.2");
    return false;
}
