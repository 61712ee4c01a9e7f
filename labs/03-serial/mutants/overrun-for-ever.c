/* In: hypervisor/devices/uart16550.c. Caught by: unit_uart.loopback_overrun_is_reported_once. Mistake:
 * reading LSR does not clear the overrun. */
static uint8_t uart_read_register(struct vm *vm, struct uart *u, unsigned reg)
{
    uint8_t value;

    switch (reg) {
    case RBR_THR:
        value = fifo_pop(u);
        uart_receive(vm, u);
        return value;
    case IIR_FCR:
        value = uart_iir(u);
        if (value == IIR_TX)
            u->tx_empty = 0;
        return value | (u->reg[IIR_FCR] & FCR_ENABLE ? IIR_FIFO : 0);
    case LSR:
        uart_receive(vm, u);
        value = uart_lsr(u);

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
