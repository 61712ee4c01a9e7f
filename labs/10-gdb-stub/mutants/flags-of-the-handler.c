/* In: hypervisor/inspect/gdb_int3.c. Caught by: unit_gdb_step.an_int3_of_ours_is_undone. Mistake:
 * interrupts stay off, as in the handler. */
static void undo_delivery(struct vcpu *vcpu, struct kvm_regs *regs, struct kvm_sregs *sregs,
                          const struct interrupt_frame *f)
{
    regs->rip = f->rip - 1;
    regs->rsp = f->rsp;
    sregs->cs = segment_load(vcpu->vm, sregs, f->cs, FLAT_CODE);
    sregs->ss = segment_load(vcpu->vm, sregs, f->ss, FLAT_DATA);
    ioctl(vcpu->fd, KVM_SET_SREGS, sregs);
    ioctl(vcpu->fd, KVM_SET_REGS, regs);
}
