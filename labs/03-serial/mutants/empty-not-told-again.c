/* In: hypervisor/devices/uart16550.c. Caught by: unit_uart.transmitter_empty_is_told_once. Mistake: the
 * transmitter-empty interrupt comes when it is switched on, and not again after a byte was sent. */
static void uart_transmit(struct vm *vm, struct uart *u, const uint8_t *bytes, unsigned count)
{
    if (!(u->reg[MCR] & MCR_LOOP))
        vm_output(vm, bytes, count);
    else
        for (unsigned i = 0; i < count; i++)
            fifo_push(u, bytes[i], 0);
}
