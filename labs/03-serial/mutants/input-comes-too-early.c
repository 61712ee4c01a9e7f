/* In: hypervisor/devices/uart16550.c. Caught by: unit_uart.input_waits_until_the_driver_listens. Mistake:
 * fetches typed bytes at any time; the driver that starts then clears them with the FIFO. */
static void uart_receive(struct vm *vm, struct uart *u)
{
    if (u->reg[MCR] & MCR_LOOP)
        return;
    while (u->fifo_count < fifo_size(u)) {
        int item = console_next(vm, u);
        if (item == CONSOLE_EMPTY)
            break;
        fifo_push(u, item == CONSOLE_BREAK ? 0 : (uint8_t)item, item == CONSOLE_BREAK ? LSR_BI : 0);
    }
}
