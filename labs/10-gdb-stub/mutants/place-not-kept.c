/* In: hypervisor/inspect/gdb_break.c. Caught by:
 * unit_gdb_stub.a_program_keeps_its_breakpoint_while_another_runs. Mistake: forgets where it has planted. */
static void plant(struct vm *vm, struct breakpoint *new, uint64_t gpa)
{
    uint8_t *byte = guest_ptr(vm, gpa, 1), *code = guest_ptr(vm, gpa, sizeof new->before);

    if (!byte)
        return;
    new->gpa = gpa;
    new->planted = true;
    new->known = false;
    memcpy(new->before, code ?: byte, code ? sizeof new->before : 1);
    *byte = INT3;
}
