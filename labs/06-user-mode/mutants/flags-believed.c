/* In: guestos/proc/signal_frame.c. Caught by:
 * unit_signal_frame.a_program_cannot_give_itself_the_kernels_flags. Mistake: the program sets IOPL and turns
 * interrupts off. */
static void load_registers(struct trapframe *f, const struct sigcontext *c)
{
    f->r8 = c->r8, f->r9 = c->r9, f->r10 = c->r10, f->r11 = c->r11;
    f->r12 = c->r12, f->r13 = c->r13, f->r14 = c->r14, f->r15 = c->r15;
    f->rdi = c->rdi, f->rsi = c->rsi, f->rbp = c->rbp, f->rbx = c->rbx;
    f->rdx = c->rdx, f->rax = c->rax, f->rcx = c->rcx, f->rsp = c->rsp, f->rip = c->rip;
    f->rflags = c->eflags;
    f->cs = USER_CS;
    f->ss = USER_DS;
    f->vector = 0; /* not a system call any more: nothing is to be started again */
}
