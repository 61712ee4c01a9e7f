/* In: guestos/drivers/uart.c. Caught by: unit_uart_driver.the_chip_is_set_up. Mistake: opens the divisor
 * latch to set the speed and never closes it: every byte sent is a speed. */
static void uart_init(void)
{
    static const struct console console = {
        .name = "serial port", .write = uart_write, .resume_input = uart_listen, .panic = uart_panic};

    if (!uart_present())
        return;
    out8(UART_PORT + LCR, 0x80 | LCR_8N1);
    out8(UART_PORT + DATA, 1);
    out8(UART_PORT + IER, 0);
    out8(UART_PORT + FCR, FCR_ENABLE);
    out8(UART_PORT + MCR, MCR_OUT2_RTS_DTR);
    irq_claim(UART_IRQ, uart_interrupt, NULL);
    console_register(&console);
}
