/* In: hypervisor/devices/uart16550.c. Caught by: unit_uart.loopback_overrun_is_reported_once. Mistake: notes
 * the overrun, and then stores the byte all the same, over the oldest one. */
static void fifo_push(struct uart *u, uint8_t byte, uint8_t break_bit)
{
    unsigned last = (u->fifo_first + u->fifo_count) % FIFO_SIZE;

    if (u->fifo_count >= fifo_size(u))
        u->overrun = LSR_OE;
    else
        u->fifo_count++;
    u->fifo[last] = byte;
    u->fifo_break[last] = break_bit;
}
