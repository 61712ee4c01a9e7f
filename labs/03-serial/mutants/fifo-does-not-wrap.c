/* In: hypervisor/devices/uart16550.c. Caught by: unit_uart.a_paste_passes_through_the_fifo_whole.
 * Mistake: stores each byte at place `count`, as if the
 * oldest one were always at place 0. */
static void fifo_push(struct uart *u, uint8_t byte, uint8_t break_bit)
{
    if (u->fifo_count >= fifo_size(u)) {
        u->overrun = LSR_OE;
        return;
    }
    u->fifo[u->fifo_count] = byte;
    u->fifo_break[u->fifo_count] = break_bit;
    u->fifo_count++;
}
