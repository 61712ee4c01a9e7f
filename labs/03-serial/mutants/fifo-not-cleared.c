/* In: hypervisor/devices/uart16550.c. Caught by: unit_uart.fcr_clears_and_switches_the_fifo. Mistake: FCR
 * does not empty the FIFO. */
static void uart_write_register(struct uart *u, unsigned reg, uint8_t value)
{
    static const uint8_t writable[] = {[IER] = 15, [IIR_FCR] = 255, [LCR] = 255, [MCR] = 31, [SCR] = 255};
    uint8_t switched_on = value & ~u->reg[reg];

    u->reg[reg] = value & writable[reg];
    if (reg == IER && switched_on & IER_TX)
        u->tx_empty = 1;
    if (reg == IIR_FCR && !(value & FCR_ENABLE))
        u->reg[reg] = 0;
    else if (reg == MCR)
        uart_update_modem(u);
}
