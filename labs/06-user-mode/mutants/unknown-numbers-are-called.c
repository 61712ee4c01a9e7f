/* In: guestos/proc/syscall.c. Caught by: unit_syscall.an_unknown_number_is_enosys. Mistake: calls what
 * syscall_find() did not find. */
static uint64_t call(const struct trapframe *f)
{
    const struct syscall *syscall = syscall_find(f->rax);

    return syscall->call(f->rdi, f->rsi, f->rdx, f->r10, f->r8, f->r9);
}
