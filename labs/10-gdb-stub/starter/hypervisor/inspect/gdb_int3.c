/*
 * The CPU has delivered an INT3 of ours to the guest: it has pushed the frame f, and loaded RIP, RSP, RFLAGS,
 * CS and SS. Make all five what they were before the INT3, in *regs and *sregs (segment_load(), FLAT_CODE,
 * FLAT_DATA), and give both to KVM. Intel SDM 3A §6.14.2. Handout, section 4.11.
 */
static void undo_delivery(struct vcpu *vcpu, struct kvm_regs *regs, struct kvm_sregs *sregs,
                          const struct interrupt_frame *f)
{
    (void)vcpu, (void)regs, (void)sregs, (void)f;
    (void)segment_load; /* yours to use */
    lab_todo(10, "undo_delivery", "handout section 4.11");
}
