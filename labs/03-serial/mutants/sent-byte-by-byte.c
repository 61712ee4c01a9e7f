/* In: hypervisor/devices/uart16550.c. Caught by: unit_uart.a_string_costs_one_write. Mistake: a write(2) for
 * each byte. */
static void uart_transmit(struct vm *vm, struct uart *u, const uint8_t *bytes, unsigned count)
{
    u->tx_empty = 1;
    for (unsigned i = 0; i < count; i++)
        if (u->reg[MCR] & MCR_LOOP)
            fifo_push(u, bytes[i], 0);
        else
            vm_output(vm, &bytes[i], 1);
}
