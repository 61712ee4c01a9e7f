/* In: hypervisor/devices/uart16550.c. Caught by: unit_uart.fcr_clears_and_switches_the_fifo. Mistake: reading
 * RBR makes room, and nothing is fetched into it: input stops until the host hears from its user again. */
static uint8_t uart_read_register(struct vm *vm, struct uart *u, unsigned reg)
{
    uint8_t value;

    switch (reg) {
    case RBR_THR:
        value = fifo_pop(u);

        return value;
    case IIR_FCR:
        value = uart_iir(u);
        if (value == IIR_TX)
            u->tx_empty = 0;
        return value | (u->reg[IIR_FCR] & FCR_ENABLE ? IIR_FIFO : 0);
    case LSR:
        uart_receive(vm, u);
        value = uart_lsr(u);
        u->overrun = 0;
        u->fifo_break[u->fifo_first] = 0;
        return value;
    case MSR:
        value = u->modem | u->modem_delta;
        u->modem_delta = 0;
        return value;
    default:
        return u->reg[reg];
    }
}
