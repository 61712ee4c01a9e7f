/* In: hypervisor/devices/uart16550.c. Caught by: unit_uart.loopback_overrun_is_reported_once. Mistake: drops
 * the byte that does not fit and tells nobody: LSR's overrun bit is never set. */
static void fifo_push(struct uart *u, uint8_t byte, uint8_t break_bit)
{
    unsigned last = (u->fifo_first + u->fifo_count) % FIFO_SIZE;

    if (u->fifo_count >= fifo_size(u))
        return;
    u->fifo[last] = byte;
    u->fifo_break[last] = break_bit;
    u->fifo_count++;
}
