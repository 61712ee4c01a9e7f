/* In: hypervisor/inspect/gdb_int3.c. Caught by: unit_gdb_step.an_int3_of_ours_is_undone. Mistake: sets
 * the selector of CS, and leaves the rest of the segment. */
static void undo_delivery(struct vcpu *vcpu, struct kvm_regs *regs, struct kvm_sregs *sregs,
                          const struct interrupt_frame *f)
{
    regs->rip = f->rip - 1;
    regs->rsp = f->rsp;
    regs->rflags = f->rflags;
    sregs->cs.selector = (uint16_t)f->cs;
    sregs->ss = segment_load(vcpu->vm, sregs, f->ss, FLAT_DATA);
    ioctl(vcpu->fd, KVM_SET_SREGS, sregs);
    ioctl(vcpu->fd, KVM_SET_REGS, regs);
}
