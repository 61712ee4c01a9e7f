/* In: hypervisor/cpuid.c. Caught by: kvm_pvh.cpuid_tells_of_the_hypervisor. Mistake: the guest is not told
 * that it is one, and never looks at leaf 0x40000000. */
static void cpuid_leaf_1(struct kvm_cpuid_entry2 *e, const struct vcpu *vcpu)
{
    const struct vm *vm = vcpu->vm;
    bool deadline = vm->irqchip && ioctl(vm->kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_TSC_DEADLINE_TIMER) > 0;

    e->ebx = (e->ebx & 0xffff) | vm->cpus << 16 | vcpu->id << 24;
    e->ecx &= ~(1u << 31);              /* a hypervisor is there: look at leaf 0x40000000 */
    e->ecx |= (uint32_t)deadline << 24; /* the local APIC's timer takes a TSC value */
    e->edx = (e->edx & ~(1u << 28)) | (uint32_t)(vm->cpus > 1) << 28;
}
