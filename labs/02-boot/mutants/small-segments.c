/* In: hypervisor/boot/pvh.c. Caught by: kvm_pvh.segments_are_flat. Mistake: the limit in pages, where KVM
 * wants it in bytes. */
static int pvh_set_registers(struct vcpu *vcpu, uint64_t entry)
{
    const struct kvm_segment data = {
        .limit = 0xfffff, .selector = 0x18, .type = 3, .present = 1, .db = 1, .s = 1, .g = 1};
    struct kvm_regs regs = {.rip = entry, .rbx = PVH_BOOT_DATA, .rflags = 2};
    struct kvm_sregs sregs;

    if (kvm_ioctl(vcpu->fd, KVM_GET_SREGS, &sregs, "read the vCPU's registers") < 0)
        return -EIO;
    sregs.cr0 = 1 | 1 << 4; /* PE; ET is always one */
    sregs.cr4 = sregs.efer = 0;
    sregs.cs = sregs.ds = sregs.es = sregs.ss = sregs.fs = sregs.gs = data;
    sregs.cs.selector = 0x10;
    sregs.cs.type = 11;                                                       /* code, readable, accessed */
    sregs.tr = (struct kvm_segment){.limit = 0x67, .type = 11, .present = 1}; /* a busy 32-bit task */
    if (kvm_ioctl(vcpu->fd, KVM_SET_SREGS, &sregs, "set the vCPU's registers") < 0)
        return -EIO;
    return kvm_ioctl(vcpu->fd, KVM_SET_REGS, &regs, "set the vCPU's registers");
}
