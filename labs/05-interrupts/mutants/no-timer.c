/* In: hypervisor/irqchip.c. Caught by: kvm_irq.the_timer_interrupts_again_and_again. Mistake: makes the
 * interrupt controllers, but no timer chip. */
static int irqchip_attach(struct vm *vm)
{
    if (vm->bare)
        return 0;
    vm->irqchip = true;
    vm->irq_sink = irqchip_sink;
    int err = kvm_ioctl(vm->fd, KVM_CREATE_IRQCHIP, NULL, "create its interrupt controllers");
    return err;
}
