/* In: hypervisor/inspect/gdb_break.c. Caught by: unit_gdb_stub.a_breakpoint_comes_back_after_each_stop.
 * Mistake: is taken for planted for ever: it is not there any more after the first stop. */
void break_take_out(struct vm *vm)
{
    int3_take_out(vm);
    FOR_EACH_POINT (p) {
        uint8_t *byte = p->planted ? guest_ptr(vm, p->gpa, 1) : NULL;
        if (byte && *byte == INT3)
            *byte = p->before[0];
    }
}
