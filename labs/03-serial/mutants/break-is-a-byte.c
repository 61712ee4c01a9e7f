/* In: guestos/drivers/uart.c. Caught by: unit_uart_driver.a_break_is_the_end_of_input. Mistake: reads the
 * status after the byte: the break belonged to the byte that is gone. */
static bool fetch(void)
{
    if (!(in8(UART_PORT + LSR) & LSR_DATA_READY))
        return false;
    held = in8(UART_PORT + DATA);
    if (in8(UART_PORT + LSR) & LSR_BREAK)
        held = CONSOLE_EOF;
    return true;
}
