/* In: guestos/proc/syscall.c. Caught by: unit_syscall.a_call_gets_its_six_arguments. Mistake: takes arguments
 * where a C function finds them; SYSCALL has destroyed RCX. */
static uint64_t call(const struct trapframe *f)
{
    const struct syscall *syscall = syscall_find(f->rax);

    return syscall ? syscall->call(f->rdi, f->rsi, f->rdx, f->rcx, f->r8, f->r9) : -ENOSYS;
}
