/* In: hypervisor/inspect/gdb_run.c. Caught by: unit_gdb_run.an_int3_of_the_guest_is_given_back. Mistake:
 * the guest's own INT3 stops the machine, and its handler never runs. */
static void debug_exit(struct vcpu *vcpu, struct cpu_state *s)
{
    const struct kvm_debug_exit_arch *arch = &vcpu->run->debug.arch;
    struct gdb_vcpu *v = &gdb.vcpus[vcpu->id];
    const struct breakpoint *fired = point_fired(arch->dr6);

    if (arch->exception == BP_VECTOR) {
        v->stop = STOP_BREAK;
    } else if (fired) {
        v->stop = is_watch(fired) ? STOP_WATCH : STOP_BREAK;
        v->address = fired->gva;
    } else if (v->stepping || v->creeping) {
        step_clean_flags(vcpu, s);
        look_at_rip(vcpu, s);
    } else {
        unwanted_step(vcpu, s);
    }
}
