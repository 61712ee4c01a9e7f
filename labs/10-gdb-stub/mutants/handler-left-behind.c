/* In: hypervisor/inspect/gdb_break.c. Caught by:
 * unit_gdb_step.the_handler_exits_while_breakpoints_are_planted. Mistake: our instruction stays in the
 * guest's #BP handler. */
void break_take_out(struct vm *vm)
{
    FOR_EACH_POINT (p) {
        uint8_t *byte = p->planted ? guest_ptr(vm, p->gpa, 1) : NULL;
        if (byte && *byte == INT3)
            *byte = p->before[0];
        p->planted = false;
    }
}
