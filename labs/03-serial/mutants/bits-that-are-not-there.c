/* In: hypervisor/devices/uart16550.c. Caught by: unit_uart.scratch_lcr_mcr_and_ier_keep_their_bits. Mistake:
 * keeps bits in MCR that the chip does not have: bit 5 is automatic flow control in later ones. */
static void uart_write_register(struct uart *u, unsigned reg, uint8_t value)
{
    static const uint8_t writable[] = {[IER] = 15, [IIR_FCR] = 255, [LCR] = 255, [MCR] = 255, [SCR] = 255};
    uint8_t switched_on = value & ~u->reg[reg];

    if (reg == IIR_FCR && (value & FCR_CLEAR_RX || (value ^ u->reg[IIR_FCR]) & FCR_ENABLE))
        u->fifo_count = 0;
    u->reg[reg] = value & writable[reg];
    if (reg == IER && switched_on & IER_TX)
        u->tx_empty = 1;
    if (reg == IIR_FCR && !(value & FCR_ENABLE))
        u->reg[reg] = 0;
    else if (reg == MCR)
        uart_update_modem(u);
}
