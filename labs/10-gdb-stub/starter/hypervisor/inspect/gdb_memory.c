/* removed: page_part */

/*
 * Copy `size` bytes between `data` and the guest's memory at `addr`: a virtual address, which walk()
 * translates with `sregs` (access 0: a debugger may do what the guest may not), or a physical one if sregs is
 * NULL. Each page has a translation of its own. guest_ptr() gives the bytes in RAM, or NULL. Stop at the
 * first byte that cannot be reached. Returns how many bytes were copied. Handout, section 4.4.
 */
size_t gdb_memory(struct vm *vm, const struct kvm_sregs *sregs, uint64_t addr, void *data, size_t size,
                  bool is_write)
{
    (void)vm, (void)sregs, (void)addr, (void)data, (void)size, (void)is_write;
    lab_todo(10, "gdb_memory", "handout section 4.4");
    return 0;
}
