/* In: guestos/drivers/uart.c. Caught by: unit_uart_driver.a_burst_fills_the_fifo. Mistake: asks LSR before
 * each byte, as an 8250 without FIFO needs it: twice as many exits. */
static void uart_write(const char *bytes, size_t n)
{
    spin_lock(&write_lock);
    for (size_t i = 0; i < n; i++) {
        while (!(in8(UART_PORT + LSR) & LSR_THR_EMPTY))
            cpu_relax();
        out8(UART_PORT + DATA, (uint8_t)bytes[i]);
    }
    spin_unlock(&write_lock);
}
