/* In: hypervisor/devices/uart16550.c. Caught by: unit_uart.transmitter_empty_is_told_once. Mistake: switching
 * the interrupt on while the transmitter is empty does not raise it: a driver that waits for it never sends
 * its first byte. */
static void uart_write_register(struct uart *u, unsigned reg, uint8_t value)
{
    static const uint8_t writable[] = {[IER] = 15, [IIR_FCR] = 255, [LCR] = 255, [MCR] = 31, [SCR] = 255};

    if (reg == IIR_FCR && (value & FCR_CLEAR_RX || (value ^ u->reg[IIR_FCR]) & FCR_ENABLE))
        u->fifo_count = 0;
    u->reg[reg] = value & writable[reg];

    if (reg == IIR_FCR && !(value & FCR_ENABLE))
        u->reg[reg] = 0;
    else if (reg == MCR)
        uart_update_modem(u);
}
