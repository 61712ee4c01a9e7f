/* In: hypervisor/boot/flat.c. Caught by: kvm_exits.real_mode_starts_as_documented. Mistake: sets RIP, but
 * leaves CS where the reset put it. */
int flat_start(struct vcpu *vcpu)
{
    struct kvm_regs regs = {.rip = FLAT_BASE, .rsp = FLAT_BASE, .rflags = 2};

    return kvm_ioctl(vcpu->fd, KVM_SET_REGS, &regs, "set the vCPU's registers");
}
