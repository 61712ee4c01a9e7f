/* In: hypervisor/irqchip.c. Caught by: kvm_irq.a_line_stays_as_it_was_set. Mistake: takes a line for an
 * event: high, and low again at once. */
static void irqchip_sink(struct vm *vm, unsigned line, int level)
{
    struct kvm_irq_level irq = {.irq = line, .level = (uint32_t)level};

    ioctl(vm->fd, KVM_IRQ_LINE, &irq);
    irq.level = 0;
    ioctl(vm->fd, KVM_IRQ_LINE, &irq);
}
