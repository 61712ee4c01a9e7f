/* In: hypervisor/inspect/gdb_resume.c. Caught by: unit_gdb_stub.actions_belong_to_threads. Mistake: the
 * range of an earlier action is still in the plan. */
static bool take_action(const char **text, struct gdb_vcpu *plan)
{
    uint64_t signal;
    char letter = **text;

    plan->stepping = (letter == 's' || letter == 'S' || letter == 'r');
    *text += letter != 0;
    if (letter == 'C' || letter == 'S')
        return take_number(text, &signal);
    if (letter == 'r')
        return take_number(text, &plan->start) && take_word(text, ",") && take_number(text, &plan->end);
    return letter == 'c' || letter == 's';
}
