/* In: hypervisor/devices/uart16550.c. Caught by: unit_uart.received_data_interrupts_at_the_trigger_level.
 * Mistake: waits for the trigger level and knows no time-out: the last typed keys never arrive. */
static uint8_t uart_iir(const struct uart *u)
{
    static const uint8_t triggers[] = {1, 4, 8, 14};
    unsigned trigger = u->reg[IIR_FCR] & FCR_ENABLE ? triggers[u->reg[IIR_FCR] >> 6] : 1;

    if (u->reg[IER] & IER_LINE && uart_lsr(u) & (LSR_OE | LSR_BI))
        return IIR_LINE;
    if (u->reg[IER] & IER_RX && u->fifo_count >= trigger)
        return IIR_RX;
    if (u->reg[IER] & IER_TX && u->tx_empty)
        return IIR_TX;
    return u->reg[IER] & IER_MODEM && u->modem_delta ? IIR_MODEM : IIR_NONE;
}
