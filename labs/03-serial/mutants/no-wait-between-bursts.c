/* In: guestos/drivers/uart.c. Caught by: unit_uart_driver.a_full_transmitter_is_waited_for. Mistake: looks
 * once whether the transmitter is empty, and then sends everything. */
static void uart_write(const char *bytes, size_t n)
{
    spin_lock(&write_lock);
    while (!(in8(UART_PORT + LSR) & LSR_THR_EMPTY))
        cpu_relax();
    out8_many(UART_PORT + DATA, bytes, n);
    spin_unlock(&write_lock);
}
