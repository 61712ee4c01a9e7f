/* In: hypervisor/inspect/gdb_int3.c. Caught by: unit_gdb_step.an_int3_of_ours_is_undone. Mistake: CS
 * stays the handler's: a program goes on with the kernel's code segment. */
static void undo_delivery(struct vcpu *vcpu, struct kvm_regs *regs, struct kvm_sregs *sregs,
                          const struct interrupt_frame *f)
{
    regs->rip = f->rip - 1;
    regs->rsp = f->rsp;
    regs->rflags = f->rflags;
    sregs->ss = segment_load(vcpu->vm, sregs, f->ss, FLAT_DATA);
    ioctl(vcpu->fd, KVM_SET_SREGS, sregs);
    ioctl(vcpu->fd, KVM_SET_REGS, regs);
}
