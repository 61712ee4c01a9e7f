/* In: hypervisor/devices/uart16550.c. Caught by: unit_uart.polling_lsr_counts_as_listening,
 * unit_uart.a_paste_passes_through_the_fifo_whole. Mistake: keeps the last byte, so that LSR's data-ready bit
 * stays after it was read. */
static uint8_t fifo_pop(struct uart *u)
{
    uint8_t byte = u->fifo[u->fifo_first];

    if (u->fifo_count == 0)
        return 0;
    if (u->fifo_count > 1) {
        u->fifo_first = (u->fifo_first + 1) % FIFO_SIZE;
        u->fifo_count--;
    }
    return byte;
}
