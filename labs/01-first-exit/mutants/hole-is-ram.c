/* In: hypervisor/memory.c. Caught by: unit_memory.the_hole_is_not_ram. Mistake: looks at where the access
 * begins, not where it ends. */
void *guest_ptr(struct vm *vm, uint64_t gpa, uint64_t size)
{
    (void)size;
    for (unsigned i = 0; i < vm->ram_count; i++) {
        const struct ram *ram = &vm->ram[i];
        if (gpa - ram->gpa < ram->size)
            return ram->hva + (gpa - ram->gpa);
    }
    return NULL;
}
