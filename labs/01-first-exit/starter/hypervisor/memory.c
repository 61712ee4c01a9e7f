/*
 * Give the guest `size` bytes of RAM at guest-physical address `gpa`: map them from vm->ram_fd (from byte
 * fd_offset on), enter them in vm->ram[] and count them in vm->ram_count, then tell KVM (KVM API,
 * KVM_SET_USER_MEMORY_REGION). Returns 0 or a negative errno, said with complain(). Handout, section 4.1.
 */
static int memory_add(struct vm *vm, uint64_t gpa, uint64_t size, uint64_t fd_offset)
{
    (void)vm, (void)gpa, (void)size, (void)fd_offset;
    return lab_todo(1, "memory_add", "handout section 4.1");
}

/*
 * The host's address of guest-physical [gpa, gpa + size), or NULL unless all of it lies in one piece of RAM.
 * Both numbers may come from the guest: any value must be safe. Handout, section 4.2.
 */
void *guest_ptr(struct vm *vm, uint64_t gpa, uint64_t size)
{
    (void)vm, (void)gpa, (void)size;
    lab_todo(1, "guest_ptr", "handout section 4.2");
    return NULL;
}
