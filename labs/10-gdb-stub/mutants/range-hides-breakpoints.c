/* In: hypervisor/inspect/gdb_run.c. Caught by: unit_gdb_run.a_breakpoint_in_a_range_ends_the_step.
 * Mistake: no breakpoint is seen while a range is stepped. */
static void look_at_rip(struct vcpu *vcpu, const struct cpu_state *s)
{
    struct gdb_vcpu *v = &gdb.vcpus[vcpu->id];
    const struct breakpoint *watch = watch_changed(vcpu, &s->sregs);

    if (watch) {
        v->stop = STOP_WATCH;
        v->address = watch->gva;
    } else if (!v->stepping && break_at(s->regs.rip)) {
        v->stop = STOP_BREAK;
    } else if (v->stepping && (s->regs.rip < v->start || s->regs.rip >= v->end)) {
        v->stop = STOP_STEP;
    }
}
