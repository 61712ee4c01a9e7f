/* In: hypervisor/irqchip.c. Caught by: kvm_irq.a_raised_line_wakes_hlt_and_runs_the_handler,
 * kvm_irq.a_line_stays_as_it_was_set. Mistake: forgets to say where levels go. */
static int irqchip_attach(struct vm *vm)
{
    struct kvm_pit_config pit = {.flags =
                                     KVM_PIT_SPEAKER_DUMMY}; /* port 0x61: guests time the PIT by its gate */

    if (vm->bare)
        return 0;
    vm->irqchip = true;
    (void)irqchip_sink;
    int err = kvm_ioctl(vm->fd, KVM_CREATE_IRQCHIP, NULL, "create its interrupt controllers");
    return err ?: kvm_ioctl(vm->fd, KVM_CREATE_PIT2, &pit, "create its timer");
}
