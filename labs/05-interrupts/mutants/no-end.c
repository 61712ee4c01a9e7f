/* In: guestos/kernel/apic.c. Caught by: unit_apic.the_end_of_an_interrupt_is_told. Mistake: forgets EOI:
 * the first interrupt is the last. */
static void device_interrupt(struct trapframe *frame)
{
    irq_dispatch(frame->vector - IRQ_VECTOR);
}
