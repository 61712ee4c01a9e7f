/*
 * The vCPU was stepped, and stands before another instruction. Set v->stop if it is the end: STOP_WATCH (and
 * v->address) if a watched variable has changed, STOP_BREAK at a breakpoint, STOP_STEP if gdb wants it to
 * step and RIP has left [v->start, v->end). Handout, section 4.10.
 */
static void look_at_rip(struct vcpu *vcpu, const struct cpu_state *s)
{
    (void)vcpu, (void)s;
    lab_todo(10, "look_at_rip", "handout section 4.10");
}

/*
 * KVM reports a debug event in vcpu->run->debug.arch. BP_VECTOR: an INT3 at arch->pc, ours (STOP_BREAK) or
 * the guest's own (vcpu_debug() with KVM_GUESTDBG_INJECT_BP delivers it). A debug register by arch->dr6:
 * point_fired(); STOP_WATCH or STOP_BREAK, and v->address. Else it is a step: one that we want (stepping or
 * creeping: step_clean_flags(), look_at_rip()), or an unwanted_step(). KVM API, "KVM_SET_GUEST_DEBUG".
 * Handout, section 4.10.
 */
static void debug_exit(struct vcpu *vcpu, struct cpu_state *s)
{
    (void)vcpu, (void)s;
    (void)unwanted_step; /* yours to use */
    lab_todo(10, "debug_exit", "handout section 4.10");
}
