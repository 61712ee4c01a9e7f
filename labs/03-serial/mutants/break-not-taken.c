/* In: guestos/drivers/uart.c. Caught by: unit_uart_driver.a_break_is_the_end_of_input. Mistake: leaves the
 * zero byte of the break in the chip: it comes again as the byte 0, or as another break. */
static bool fetch(void)
{
    static bool was_break;
    uint8_t status = in8(UART_PORT + LSR);

    if (!(status & LSR_DATA_READY))
        return false;
    was_break = status & LSR_BREAK && !was_break;
    held = was_break ? CONSOLE_EOF : in8(UART_PORT + DATA);
    return true;
}
