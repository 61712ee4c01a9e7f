/* In: guestos/proc/vm.c. Caught by: unit_fork.the_cpu_forgets_the_writable_entries. Mistake: flushes before
 * the entries change. */
struct address_space *vm_fork(struct address_space *from)
{
    struct address_space *to = vm_create();

    if (!to)
        return NULL;
    to->brk_start = from->brk_start;
    to->brk = from->brk;
    write_cr3(read_cr3());
    int error = fork_areas(from, to);
    if (error) {
        vm_put(to);
        return NULL;
    }
    return to;
}
