/* In: hypervisor/memory.c. Caught by: unit_memory.sums_that_wrap_are_turned_down. Mistake: gpa + size wraps
 * around and looks small. */
void *guest_ptr(struct vm *vm, uint64_t gpa, uint64_t size)
{
    for (unsigned i = 0; i < vm->ram_count; i++) {
        const struct ram *ram = &vm->ram[i];
        if (gpa >= ram->gpa && gpa + size <= ram->gpa + ram->size)
            return ram->hva + (gpa - ram->gpa);
    }
    return NULL;
}
