/* In: hypervisor/inspect/gdb_memory.c. Caught by:
 * unit_gdb_target.a_debugger_may_write_what_the_guest_may_not. Mistake: a debugger may not write what the
 * guest may not. */
size_t gdb_memory(struct vm *vm, const struct kvm_sregs *sregs, uint64_t addr, void *data, size_t size,
                  bool is_write)
{
    struct walk w;
    size_t done, part;

    for (done = 0; done < size; done += part) {
        part = size - done;
        uint8_t *bytes = page_part(vm, sregs, addr + done, &part);
        if (!bytes || (is_write && sregs && !walk(vm, sregs, addr + done, WALK_WRITE, &w)))
            break;
        if (is_write)
            memcpy(bytes, (uint8_t *)data + done, part);
        else
            memcpy((uint8_t *)data + done, bytes, part);
    }
    return done;
}
