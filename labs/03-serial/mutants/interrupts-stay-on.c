/* In: guestos/drivers/uart.c. Caught by: unit_uart_driver.what_is_refused_stays_in_the_chip. Mistake: leaves
 * the interrupt on while a byte is held: the chip interrupts for ever, and the reader never runs. */
static void uart_listen(void)
{
    spin_lock(&receive_lock);
    give_away();
    out8(UART_PORT + IER, IER_RECEIVED);
    spin_unlock(&receive_lock);
}
