/* In: hypervisor/devices/uart16550.c. Caught by: unit_uart.line_status_has_the_highest_priority. Mistake:
 * asks for the transmitter first, so received data waits while there is something to send. */
static uint8_t uart_iir(const struct uart *u)
{
    static const uint8_t triggers[] = {1, 4, 8, 14};
    unsigned trigger = u->reg[IIR_FCR] & FCR_ENABLE ? triggers[u->reg[IIR_FCR] >> 6] : 1;

    if (u->reg[IER] & IER_TX && u->tx_empty)
        return IIR_TX;
    if (u->reg[IER] & IER_LINE && uart_lsr(u) & (LSR_OE | LSR_BI))
        return IIR_LINE;
    if (u->reg[IER] & IER_RX && u->fifo_count >= trigger)
        return IIR_RX;
    if (u->reg[IER] & IER_RX && u->fifo_count > 0)
        return IIR_TIMEOUT;
    return u->reg[IER] & IER_MODEM && u->modem_delta ? IIR_MODEM : IIR_NONE;
}
