/* In: hypervisor/inspect/gdb_resume.c. Caught by: unit_gdb_stub.signals_are_taken_and_forgotten. Mistake:
 * C and S are read without their signal. */
static bool take_action(const char **text, struct gdb_vcpu *plan)
{
    char letter = **text;

    *plan = (struct gdb_vcpu){.stepping = letter == 's' || letter == 'S' || letter == 'r'};
    *text += letter != 0;
    if (letter == 'r')
        return take_number(text, &plan->start) && take_word(text, ",") && take_number(text, &plan->end);
    return letter == 'c' || letter == 's' || letter == 'C' || letter == 'S';
}
