/*
 * Handle one KVM_EXIT_IO: hand the access that run->io describes to the bus vm->ports (KVM API, section 5,
 * "KVM_EXIT_IO"). Its data lie in the page at vcpu->run, io.data_offset bytes from the start. Handout,
 * section 4.5.
 */
static void vcpu_handle_io(struct vcpu *vcpu)
{
    (void)vcpu;
    lab_todo(1, "vcpu_handle_io", "handout section 4.5");
}

/*
 * Handle one KVM_EXIT_MMIO: hand the access that run->mmio describes to the bus vm->mmio (KVM API, section 5,
 * "KVM_EXIT_MMIO"). Handout, section 4.6.
 */
static void vcpu_handle_mmio(struct vcpu *vcpu)
{
    (void)vcpu;
    lab_todo(1, "vcpu_handle_mmio", "handout section 4.6");
}
