/* In: hypervisor/boot/flat.c. Caught by: kvm_exits.real_mode_starts_as_documented. Mistake: does not get the
 * special registers first: CR0 and the limits of the segments are gone. */
int flat_start(struct vcpu *vcpu)
{
    struct kvm_regs regs = {.rip = FLAT_BASE, .rsp = FLAT_BASE, .rflags = 2}; /* bit 1 is always one */
    struct kvm_sregs sregs;

    memset(&sregs, 0, sizeof sregs);
    sregs.cs.base = sregs.cs.selector = 0;
    if (kvm_ioctl(vcpu->fd, KVM_SET_SREGS, &sregs, "set the vCPU's registers") < 0)
        return -EIO;
    return kvm_ioctl(vcpu->fd, KVM_SET_REGS, &regs, "set the vCPU's registers");
}
