/*
 * Send n bytes, in order, as fast as the chip takes them, holding write_lock: LSR_THR_EMPTY says that all of
 * the transmitter's FIFO is empty, which has FIFO_SIZE places. Handout, section 4.9.
 */
static void uart_write(const char *bytes, size_t n)
{
    static bool told;

    (void)write_lock;
    out8_many(0xe9, bytes, n); /* lab 1's debug port, so that the panic can be read meanwhile */
    if (!told) {
        told = true;
        lab_todo(3, "uart_write", "handout section 4.9");
    }
}

/*
 * Receive one byte into `held`, if the chip has one, or CONSOLE_EOF if the chip tells of a break, whose zero
 * byte is taken, too. Returns false, with `held` as it was, if there is none. Handout, section 4.10.
 */
static bool fetch(void)
{
    return lab_todo(3, "fetch", "handout section 4.10");
}

/*
 * Give all that has been received to console_input(), oldest first: what is in `held` (unless NOTHING_HELD),
 * and then what the chip has. What console_input() refuses stays in `held`. Returns false when a byte is left
 * that nobody wants. Handout, section 4.10.
 */
static bool give_away(void)
{
    (void)fetch, (void)held;
    return lab_todo(3, "give_away", "handout section 4.10");
}

/*
 * Called by the interrupt, and when there is room again for input. Give away what was received, and have the
 * chip interrupt for more (IER), unless a byte is left: then it must be quiet. Holds receive_lock. Handout,
 * section 4.11.
 */
static void uart_listen(void)
{
    (void)receive_lock, (void)give_away;
    lab_todo(3, "uart_listen", "handout section 4.11");
}

/*
 * Find the chip, set it up and register it: 8N1, FIFOs on and empty, OUT2, RTS and DTR on; claim line
 * UART_IRQ for uart_interrupt(), then register the console. Nothing of that without a chip. Handout, section
 * 4.12.
 */
static void uart_init(void)
{
    static const struct console console = {
        .name = "serial port", .write = uart_write, .resume_input = uart_listen, .panic = uart_panic};

    (void)console, (void)uart_present, (void)uart_interrupt;
    lab_todo(3, "uart_init", "handout section 4.12");
}
