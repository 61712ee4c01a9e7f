/*
 * Put INT3 at physical address `gpa` for the breakpoint *new, and note in it what break_take_out() needs:
 * gpa, planted, and in before[0] what was there. If sizeof new->before bytes can be read there, keep them
 * all, and set `known`: is_still_there() compares them. Where there is no RAM, nothing is planted. Handout,
 * section 4.9.
 */
static void plant(struct vm *vm, struct breakpoint *new, uint64_t gpa)
{
    (void)vm, (void)new, (void)gpa;
    lab_todo(10, "plant", "handout section 4.9");
}

/*
 * Take every INT3 out again, and note that none is planted. If another byte lies there now, the guest has
 * written it. First int3_take_out(). Handout, section 4.9.
 */
void break_take_out(struct vm *vm)
{
    (void)vm;
    lab_todo(10, "break_take_out", "handout section 4.9");
}
