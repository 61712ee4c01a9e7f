/*
 * Make the vCPU start in real mode at FLAT_BASE: CS base and selector 0, RIP and RSP FLAT_BASE, interrupts
 * off (KVM API, KVM_GET_SREGS, KVM_SET_SREGS, KVM_SET_REGS; Intel SDM 3A, section 9.1.4, for where a CPU
 * starts by itself). Returns 0 or a negative errno. Handout, section 4.7.
 */
int flat_start(struct vcpu *vcpu)
{
    (void)vcpu;
    return lab_todo(1, "flat_start", "handout section 4.7");
}
