/* In: hypervisor/inspect/gdb_resume.c. Caught by: unit_gdb_stub.a_stop_names_thread_and_reason. Mistake:
 * thread 0 means "any" to gdb; vCPU 0 is thread 1. */
void reply_stop(struct reply *r, struct vcpu *vcpu)
{
    struct gdb_vcpu *v = &gdb.vcpus[vcpu->id];
    int signal = v->stop == STOP_DIED ? SIGABRT : v->stop == STOP_NONE ? SIGINT : SIGTRAP;
    struct kvm_regs regs = {0};

    ioctl(vcpu->fd, KVM_GET_REGS, &regs);
    reply_text(r, "T%02xthread:%x;", signal, vcpu->id);
    reply_reason(r, v, regs.rip);
    v->stop = STOP_NONE;
    gdb.vcpu = vcpu;
}
