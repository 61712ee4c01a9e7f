/* In: guestos/kernel/apic.c. Caught by: unit_apic.the_lines_handler_is_called. Mistake: takes the vector
 * for the line. */
static void device_interrupt(struct trapframe *frame)
{
    irq_dispatch(frame->vector);
    apic_eoi();
}
