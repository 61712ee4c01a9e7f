/* In: hypervisor/devices/uart16550.c. Caught by: unit_uart.out2_gates_the_interrupt. Mistake: knows the chip
 * and not the PC around it, where OUT2 connects the interrupt. */
static void uart_update_irq(struct vm *vm, struct uart *u)
{
    uint8_t level = uart_iir(u) != IIR_NONE;

    if (level != u->irq_level)
        irq_set_line(vm, UART_IRQ, level);
    u->irq_level = level;
}
