/* In: hypervisor/inspect/gdb_int3.c. Caught by: unit_gdb_step.an_int3_of_ours_is_undone. Mistake: RIP
 * stays behind the INT3: the guest would go on in the middle of an instruction. */
static void undo_delivery(struct vcpu *vcpu, struct kvm_regs *regs, struct kvm_sregs *sregs,
                          const struct interrupt_frame *f)
{
    regs->rip = f->rip;
    regs->rsp = f->rsp;
    regs->rflags = f->rflags;
    sregs->cs = segment_load(vcpu->vm, sregs, f->cs, FLAT_CODE);
    sregs->ss = segment_load(vcpu->vm, sregs, f->ss, FLAT_DATA);
    ioctl(vcpu->fd, KVM_SET_SREGS, sregs);
    ioctl(vcpu->fd, KVM_SET_REGS, regs);
}
