/* In: hypervisor/irqchip.c. Caught by: kvm_irq.what_kvm_refuses_is_told. Mistake: does not look at the
 * results of KVM. */
static int irqchip_attach(struct vm *vm)
{
    struct kvm_pit_config pit = {.flags =
                                     KVM_PIT_SPEAKER_DUMMY}; /* port 0x61: guests time the PIT by its gate */

    if (vm->bare)
        return 0;
    vm->irqchip = true;
    vm->irq_sink = irqchip_sink;
    kvm_ioctl(vm->fd, KVM_CREATE_IRQCHIP, NULL, "create its interrupt controllers");
    kvm_ioctl(vm->fd, KVM_CREATE_PIT2, &pit, "create its timer");
    return 0;
}
