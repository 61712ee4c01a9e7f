/* In: guestos/drivers/uart.c. Caught by: unit_uart_driver.the_chip_is_set_up. Mistake: DTR and RTS without
 * OUT2: output works, and no interrupt ever comes. */
static void uart_init(void)
{
    static const struct console console = {
        .name = "serial port", .write = uart_write, .resume_input = uart_listen, .panic = uart_panic};

    if (!uart_present())
        return;
    out8(UART_PORT + LCR, LCR_8N1);
    out8(UART_PORT + FCR, FCR_ENABLE);
    out8(UART_PORT + MCR, 0x03);
    irq_claim(UART_IRQ, uart_interrupt, NULL);
    console_register(&console);
}
