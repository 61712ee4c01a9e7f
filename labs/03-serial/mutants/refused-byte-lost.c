/* In: guestos/drivers/uart.c. Caught by: unit_uart_driver.what_was_refused_comes_first_later. Mistake: the
 * byte that found no room is gone. */
static bool give_away(void)
{
    while (fetch())
        if (!console_input(held))
            return false;
    return true;
}
