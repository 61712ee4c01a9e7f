/* In: hypervisor/inspect/gdb_run.c. Caught by: unit_gdb_run.a_range_is_stepped_until_rip_is_outside.
 * Mistake: the end of the range is taken for its last address. */
static void look_at_rip(struct vcpu *vcpu, const struct cpu_state *s)
{
    struct gdb_vcpu *v = &gdb.vcpus[vcpu->id];
    const struct breakpoint *watch = watch_changed(vcpu, &s->sregs);

    if (watch) {
        v->stop = STOP_WATCH;
        v->address = watch->gva;
    } else if (break_at(s->regs.rip)) {
        v->stop = STOP_BREAK;
    } else if (v->stepping && (s->regs.rip < v->start || s->regs.rip > v->end)) {
        v->stop = STOP_STEP;
    }
}
