/* In: hypervisor/irqchip.c. Caught by: kvm_irq.only_bare_guests_have_no_controller. Mistake: a bare guest
 * gets one, too: its HLT waits for ever. */
static int irqchip_attach(struct vm *vm)
{
    struct kvm_pit_config pit = {.flags =
                                     KVM_PIT_SPEAKER_DUMMY}; /* port 0x61: guests time the PIT by its gate */

    vm->irqchip = true;
    vm->irq_sink = irqchip_sink;
    int err = kvm_ioctl(vm->fd, KVM_CREATE_IRQCHIP, NULL, "create its interrupt controllers");
    return err ?: kvm_ioctl(vm->fd, KVM_CREATE_PIT2, &pit, "create its timer");
}
