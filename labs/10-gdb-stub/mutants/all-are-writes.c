/* In: hypervisor/inspect/gdb_resume.c. Caught by: unit_gdb_stub.a_stop_names_thread_and_reason. Mistake:
 * tells of a variable that was read as if it had been written, and of a debug register as of an INT3. */
void reply_stop(struct reply *r, struct vcpu *vcpu)
{
    struct gdb_vcpu *v = &gdb.vcpus[vcpu->id];
    int signal = v->stop == STOP_DIED ? SIGABRT : v->stop == STOP_NONE ? SIGINT : SIGTRAP;

    reply_text(r, "T%02xthread:%x;", signal, vcpu->id + 1);
    if (v->stop == STOP_WATCH)
        reply_text(r, "watch:%lx;", v->address);
    else if (v->stop == STOP_BREAK && gdb.can_swbreak)
        reply_text(r, "swbreak:;");
    v->stop = STOP_NONE;
    gdb.vcpu = vcpu;
}
