/* In: guestos/drivers/uart.c. Caught by: unit_uart_driver.received_bytes_reach_the_reader. Mistake: takes one
 * byte for each interrupt; the line stays high for the others, but it is no event for each. */
static bool give_away(void)
{
    if (held == NOTHING_HELD && !fetch())
        return true;
    if (!console_input(held))
        return false;
    held = NOTHING_HELD;
    return true;
}
