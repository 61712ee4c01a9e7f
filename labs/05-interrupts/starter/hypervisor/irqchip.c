/*
 * Give KVM the new level (0 or 1) of an interrupt line, 0 to 23 (KVM API, "KVM_IRQ_LINE"). A line is a level,
 * not an event: both changes are told. Handout, section 4.1.
 */
static void irqchip_sink(struct vm *vm, unsigned line, int level)
{
    (void)vm, (void)line, (void)level;
    lab_todo(5, "irqchip_sink", "handout section 4.1");
}

/*
 * Make KVM's interrupt controllers and its timer chip for this VM (KVM API, "KVM_CREATE_IRQCHIP",
 * "KVM_CREATE_PIT2", with KVM_PIT_SPEAKER_DUMMY), and note in *vm that they are there (vm->irqchip) and where
 * irq_set_line() hands a level on (vm->irq_sink). Nothing of that for a bare guest (vm->bare). Returns 0, or
 * the error of kvm_ioctl(). Handout, section 4.1.
 */
static int irqchip_attach(struct vm *vm)
{
    (void)irqchip_sink; /* yours to use */
    if (!vm->bare)
        lab_todo(5, "irqchip_attach", "handout section 4.1");
    return 0;
}
