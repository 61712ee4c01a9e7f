/* In: guestos/kernel/apic.c. Caught by: unit_apic.the_end_comes_after_the_handler. Mistake: EOI comes
 * before the handler. */
static void device_interrupt(struct trapframe *frame)
{
    apic_eoi();
    irq_dispatch(frame->vector - IRQ_VECTOR);
}
