/* In: hypervisor/inspect/gdb_resume.c. Caught by: unit_gdb_stub.actions_belong_to_threads. Mistake:
 * leaves the range in the packet: no action, as it seems. */
static bool take_action(const char **text, struct gdb_vcpu *plan)
{
    uint64_t signal;
    char letter = **text;

    *plan = (struct gdb_vcpu){.stepping = letter == 's' || letter == 'S' || letter == 'r'};
    *text += letter != 0;
    if (letter == 'C' || letter == 'S')
        return take_number(text, &signal);
    return letter == 'c' || letter == 's' || letter == 'r';
}
