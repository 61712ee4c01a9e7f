/* KVM's own interrupt controllers (two 8259s, an I/O APIC, a local APIC per vCPU) and its timer chip (8254).
 */
#include "feature.h"

static void irqchip_sink(struct vm *vm, unsigned line, int level)
{
    struct kvm_irq_level irq = {.irq = line, .level = (uint32_t)level};

    ioctl(vm->fd, KVM_IRQ_LINE, &irq);
}

/* From here on HLT waits in the kernel for an interrupt and costs the host nothing. */
static int irqchip_attach(struct vm *vm)
{
    struct kvm_pit_config pit = {.flags =
                                     KVM_PIT_SPEAKER_DUMMY}; /* port 0x61: guests time the PIT by its gate */

    if (vm->bare)
        return 0;
    vm->irqchip = true;
    vm->irq_sink = irqchip_sink;
    int err = kvm_ioctl(vm->fd, KVM_CREATE_IRQCHIP, NULL, "create its interrupt controllers");
    return err ?: kvm_ioctl(vm->fd, KVM_CREATE_PIT2, &pit, "create its timer");
}

FEATURE(irqchip) = {
    .name = "irqchip",
    .lab = 5,
    .help = "8259, I/O APIC, local APICs and 8254, in the kernel",
    .attach = irqchip_attach,
};
