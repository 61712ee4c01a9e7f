/* In: guestos/proc/vm.c. Caught by: unit_fork.a_fork_without_memory_leaves_no_trace. Mistake: what a fork had
 * got when memory ran out is never given back. */
struct address_space *vm_fork(struct address_space *from)
{
    struct address_space *to = vm_create();

    if (!to)
        return NULL;
    to->brk_start = from->brk_start;
    to->brk = from->brk;
    int error = fork_areas(from, to);
    write_cr3(read_cr3()); /* our own pages have become read-only: forget the old entries */
    if (error) {
        return NULL;
    }
    return to;
}
