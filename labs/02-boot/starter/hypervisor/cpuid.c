/*
 * Correct what KVM says about CPUID leaf 1: EBX bits 31..24 the CPU's number (vcpu->id), bits 23..16 how many
 * CPUs there are; ECX bit 31 that a hypervisor is there, bit 24 the TSC deadline timer, if the VM has an
 * interrupt controller and KVM_CAP_TSC_DEADLINE_TIMER; EDX bit 28 that there is more than one CPU. Intel SDM
 * 2A, "CPUID". Handout, section 4.7.
 */
static void cpuid_leaf_1(struct kvm_cpuid_entry2 *e, const struct vcpu *vcpu)
{
    (void)e, (void)vcpu;
    lab_todo(2, "cpuid_leaf_1", "handout section 4.7");
}
