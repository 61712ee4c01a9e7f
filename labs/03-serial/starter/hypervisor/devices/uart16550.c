/*
 * Put one received byte behind those in the receiver's FIFO; break_bit is LSR_BI if it stands for a break,
 * else 0. There are fifo_size() places. A byte that finds none is lost, and the overrun noted in u->overrun
 * (data sheet, line status register, bit 1). Handout, section 4.1.
 */
static void fifo_push(struct uart *u, uint8_t byte, uint8_t break_bit)
{
    (void)u, (void)byte, (void)break_bit, (void)fifo_size;
    lab_todo(3, "fifo_push", "handout section 4.1");
}

/*
 * Take the oldest byte out of the receiver's FIFO. Returns it, or 0 and changes nothing if there is none: a
 * guest may read whenever it likes. Handout, section 4.1.
 */
static uint8_t fifo_pop(struct uart *u)
{
    (void)u;
    lab_todo(3, "fifo_pop", "handout section 4.1");
    return 0;
}

/*
 * Fetch typed bytes from the host (console_next(), until CONSOLE_EMPTY) into the FIFO while there is room and
 * the guest listens: it wants receive interrupts (IER bit 0), or its last access was a read of LSR
 * (u->polled). Not in loopback. CONSOLE_BREAK becomes a zero byte with LSR_BI. Handout, section 4.2.
 */
static void uart_receive(struct vm *vm, struct uart *u)
{
    (void)vm, (void)u, (void)fifo_push;
    lab_todo(3, "uart_receive", "handout section 4.2");
}

/*
 * The line status register as the guest would read it now; changes nothing. Sent bytes leave at once, so the
 * transmitter is always empty. LSR_DR and LSR_BI tell of the byte that RBR gives next, LSR_FIFO_ERROR of all
 * that are in the FIFO, if FIFOs are on. Handout, section 4.3.
 */
static uint8_t uart_lsr(const struct uart *u)
{
    (void)u;
    lab_todo(3, "uart_lsr", "handout section 4.3");
    return 0xff;
}

/*
 * The pending interrupt of the highest priority that IER lets through, as the lower four bits of IIR have it:
 * IIR_LINE, IIR_RX, IIR_TIMEOUT, IIR_TX, IIR_MODEM or IIR_NONE (data sheet, table "Interrupt Control
 * Functions"). Changes nothing. Handout, section 4.4.
 */
static uint8_t uart_iir(const struct uart *u)
{
    (void)u, (void)uart_lsr;
    lab_todo(3, "uart_iir", "handout section 4.4");
    return IIR_NONE;
}

/*
 * Set line UART_IRQ to what it must be now (irq_set_line()), if it is not: high while an interrupt is pending
 * and MCR's OUT2 connects it. Loopback disconnects OUT2. u->irq_level is what the line has. Handout, section
 * 4.5.
 */
static void uart_update_irq(struct vm *vm, struct uart *u)
{
    (void)vm, (void)u, (void)uart_iir;
    lab_todo(3, "uart_update_irq", "handout section 4.5");
}

/*
 * The guest reads register `reg`, 0 to 7 (not the divisor). Returns its value and does what reading does: RBR
 * takes a byte, and makes room; IIR takes the transmitter's interrupt back if it told that; LSR looks for
 * typed bytes first, and clears the overrun and the break; MSR clears its lower half. Handout, section 4.6.
 */
static uint8_t uart_read_register(struct vm *vm, struct uart *u, unsigned reg)
{
    (void)vm, (void)u, (void)reg, (void)fifo_pop;
    lab_todo(3, "uart_read_register", "handout section 4.6");
    return 0xff;
}

/*
 * The guest writes `count` bytes (at least one) to THR: send them with one vm_output(), or, in loopback,
 * receive them. They have left when this returns: the transmitter-empty interrupt is due. Handout, section
 * 4.7.
 */
static void uart_transmit(struct vm *vm, struct uart *u, const uint8_t *bytes, unsigned count)
{
    (void)vm, (void)u, (void)bytes, (void)count;
    lab_todo(3, "uart_transmit", "handout section 4.7");
}

/*
 * The guest writes register `reg`, 1 to 7 (not the divisor, not THR). Keep of the value what the chip has
 * bits for in u->reg[reg], and do what writing does: see the handout's table, section 4.8. LSR and MSR are
 * not written.
 */
static void uart_write_register(struct uart *u, unsigned reg, uint8_t value)
{
    (void)u, (void)reg, (void)value, (void)uart_update_modem;
    lab_todo(3, "uart_write_register", "handout section 4.8");
}
