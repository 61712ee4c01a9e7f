/* In: hypervisor/devices/uart16550.c. Caught by: unit_uart.out2_gates_the_interrupt,
 * unit_uart.received_data_interrupts_at_the_trigger_level. Mistake: raises the line as if it were an event,
 * and never lowers it. */
static void uart_update_irq(struct vm *vm, struct uart *u)
{
    if (uart_iir(u) != IIR_NONE && (u->reg[MCR] & (MCR_OUT2 | MCR_LOOP)) == MCR_OUT2) {
        irq_set_line(vm, UART_IRQ, 1);
        u->irq_level = 1;
    }
}
