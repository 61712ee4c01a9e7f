/* In: hypervisor/inspect/gdb_memory.c. Caught by: unit_gdb_target.memory_goes_through_the_page_tables.
 * Mistake: only the first page is translated; what follows it in RAM is something else. */
size_t gdb_memory(struct vm *vm, const struct kvm_sregs *sregs, uint64_t addr, void *data, size_t size,
                  bool is_write)
{
    struct walk w = {.gpa = addr};
    size_t done, part;

    if (sregs && !walk(vm, sregs, addr, 0, &w))
        return 0;

    for (done = 0; done < size; done += part) {
        part = size - done;
        uint8_t *bytes = page_part(vm, NULL, w.gpa + done, &part);
        if (!bytes)
            break;
        if (is_write)
            memcpy(bytes, (uint8_t *)data + done, part);
        else
            memcpy((uint8_t *)data + done, bytes, part);
    }
    return done;
}
