/* In: hypervisor/devices/uart16550.c. Caught by: unit_uart.a_paste_passes_through_the_fifo_whole. Mistake:
 * fetches all that was typed, whatever room there is: a paste overruns the FIFO. */
static void uart_receive(struct vm *vm, struct uart *u)
{
    int item;

    if (u->reg[MCR] & MCR_LOOP || !(u->reg[IER] & IER_RX || u->polled))
        return;
    while ((item = console_next(vm, u)) != CONSOLE_EMPTY)
        fifo_push(u, item == CONSOLE_BREAK ? 0 : (uint8_t)item, item == CONSOLE_BREAK ? LSR_BI : 0);
}
