/* In: hypervisor/inspect/gdb_break.c. Caught by:
 * unit_gdb_stub.a_byte_that_the_guest_has_written_is_its_own, unit_gdb_stub.two_breakpoints_on_one_byte.
 * Mistake: puts old code over what the guest has written. */
void break_take_out(struct vm *vm)
{
    int3_take_out(vm);
    FOR_EACH_POINT (p) {
        uint8_t *byte = p->planted ? guest_ptr(vm, p->gpa, 1) : NULL;
        if (byte)
            *byte = p->before[0];
        p->planted = false;
    }
}
