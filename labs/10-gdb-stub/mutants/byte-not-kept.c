/* In: hypervisor/inspect/gdb_break.c. Caught by:
 * unit_gdb_stub.a_breakpoint_is_there_only_while_the_guest_runs, unit_gdb_run.an_int3_of_ours_is_a_stop.
 * Mistake: plants first, and keeps the INT3 as what was there before. */
static void plant(struct vm *vm, struct breakpoint *new, uint64_t gpa)
{
    uint8_t *byte = guest_ptr(vm, gpa, 1), *code = guest_ptr(vm, gpa, sizeof new->before);

    if (!byte)
        return;
    *byte = INT3;
    new->gpa = gpa;
    new->planted = true;
    new->known = code;
    memcpy(new->before, code ?: byte, code ? sizeof new->before : 1);
}
