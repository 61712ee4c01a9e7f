/* In: hypervisor/irqchip.c. Caught by: kvm_irq.the_timers_gate_is_the_kernels. Mistake:
 * KVM_PIT_SPEAKER_DUMMY is missing: port 0x61 is nobody's. */
static int irqchip_attach(struct vm *vm)
{
    struct kvm_pit_config pit = {0};

    if (vm->bare)
        return 0;
    vm->irqchip = true;
    vm->irq_sink = irqchip_sink;
    int err = kvm_ioctl(vm->fd, KVM_CREATE_IRQCHIP, NULL, "create its interrupt controllers");
    return err ?: kvm_ioctl(vm->fd, KVM_CREATE_PIT2, &pit, "create its timer");
}
