/* In: hypervisor/devices/uart16550.c. Caught by: unit_uart.the_break_stays_behind_the_bytes_before_it.
 * Mistake: reports a break anywhere in the FIFO, where LSR describes the byte at the front. */
static uint8_t uart_lsr(const struct uart *u)
{
    uint8_t lsr = LSR_THRE | LSR_TEMT | u->overrun;

    if (u->fifo_count > 0)
        lsr |= LSR_DR;
    for (unsigned i = 0; i < u->fifo_count; i++)
        if (u->fifo_break[(u->fifo_first + i) % FIFO_SIZE])
            lsr |= LSR_BI | (u->reg[IIR_FCR] & FCR_ENABLE ? LSR_FIFO_ERROR : 0);
    return lsr;
}
