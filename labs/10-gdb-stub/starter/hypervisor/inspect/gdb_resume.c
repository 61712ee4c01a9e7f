/* removed: reply_reason */

/*
 * Say why the guest stopped: 'T', the signal in two hexadecimal digits (SIGABRT: it died, SIGINT: no reason
 * of its own, else SIGTRAP), "thread:ID;" (hexadecimal), and where there is one, a reason: "watch:ADDRESS;"
 * or "awatch:ADDRESS;" (POINT_ACCESS), or "swbreak:;" for a software breakpoint if gdb understands it. Then
 * that reason is told and forgotten, and gdb.vcpu is this vCPU. GDB manual, "Stop Reply Packets". Handout,
 * section 4.8.
 */
void reply_stop(struct reply *r, struct vcpu *vcpu)
{
    (void)r, (void)vcpu;
    lab_todo(10, "reply_stop", "handout section 4.8");
}

/*
 * Read one action of vCont at *text into *plan: "c", "C signal", "s", "S signal" or "r start,end" (without
 * the blanks), and move *text behind it. `s`, `S` and `r` step; what is left in *plan is zero. Signals mean
 * nothing to a machine. Returns false if it is none of these. GDB manual, "Packets". Handout, section 4.7.
 */
static bool take_action(const char **text, struct gdb_vcpu *plan)
{
    (void)text, (void)plan;
    lab_todo(10, "take_action", "handout section 4.7");
    return false;
}
