/* In: hypervisor/inspect/gdb_memory.c. Caught by: unit_gdb_target.what_is_not_mapped_is_not_read,
 * unit_gdb_stub.memory_is_read_and_written. Mistake: one byte that is not there makes all the others
 * unreadable. */
size_t gdb_memory(struct vm *vm, const struct kvm_sregs *sregs, uint64_t addr, void *data, size_t size,
                  bool is_write)
{
    size_t done, part;

    for (done = 0; done < size; done += part) {
        part = size - done;
        uint8_t *bytes = page_part(vm, sregs, addr + done, &part);
        if (!bytes)
            return 0;
        if (is_write)
            memcpy(bytes, (uint8_t *)data + done, part);
        else
            memcpy((uint8_t *)data + done, bytes, part);
    }
    return done;
}
