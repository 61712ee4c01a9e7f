/* In: guestos/drivers/uart.c. Caught by: unit_uart_driver.a_full_transmitter_is_waited_for. Mistake: counts
 * the bytes that are left and sends the first ones again. */
static void uart_write(const char *bytes, size_t n)
{
    spin_lock(&write_lock);
    while (n) {
        while (!(in8(UART_PORT + LSR) & LSR_THR_EMPTY))
            cpu_relax();
        size_t burst = MIN(n, FIFO_SIZE);
        out8_many(UART_PORT + DATA, bytes, burst);
        n -= burst;
    }
    spin_unlock(&write_lock);
}
