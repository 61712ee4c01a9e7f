/* In: hypervisor/inspect/gdb_resume.c. Caught by: unit_gdb_stub.a_stop_names_thread_and_reason. Mistake:
 * tells of a variable that was read as if it had been written, and of a debug register as of an INT3. */
static void reply_reason(struct reply *r, const struct gdb_vcpu *v, uint64_t rip)
{
    (void)rip;
    if (v->stop == STOP_WATCH)
        reply_text(r, "watch:%lx;", v->address);
    else if (v->stop == STOP_BREAK && gdb.can_swbreak)
        reply_text(r, "swbreak:;");
}

void reply_stop(struct reply *r, struct vcpu *vcpu)
{
    struct gdb_vcpu *v = &gdb.vcpus[vcpu->id];
    int signal = v->stop == STOP_DIED ? SIGABRT : v->stop == STOP_NONE ? SIGINT : SIGTRAP;
    struct kvm_regs regs = {0};

    ioctl(vcpu->fd, KVM_GET_REGS, &regs);
    reply_text(r, "T%02xthread:%x;", signal, vcpu->id + 1);
    reply_reason(r, v, regs.rip);
    v->stop = STOP_NONE;
    gdb.vcpu = vcpu;
}
