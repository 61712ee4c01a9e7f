/* In: hypervisor/inspect/gdb_memory.c. Caught by: unit_gdb_target.memory_goes_through_the_page_tables.
 * Mistake: stops at the end of the first page. */
size_t gdb_memory(struct vm *vm, const struct kvm_sregs *sregs, uint64_t addr, void *data, size_t size,
                  bool is_write)
{
    size_t done, part;

    for (done = 0; done == 0 && size > 0; done += part) {
        part = size - done;
        uint8_t *bytes = page_part(vm, sregs, addr + done, &part);
        if (!bytes)
            break;
        if (is_write)
            memcpy(bytes, (uint8_t *)data + done, part);
        else
            memcpy((uint8_t *)data + done, bytes, part);
    }
    return done;
}
