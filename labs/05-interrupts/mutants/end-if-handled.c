/* In: guestos/kernel/apic.c. Caught by: unit_apic.an_interrupt_that_nobody_wants_ends_too. Mistake: EOI
 * only where there was a handler. */
static void device_interrupt(struct trapframe *frame)
{
    if (irq_dispatch(frame->vector - IRQ_VECTOR))
        apic_eoi();
}
