/* In: hypervisor/devices/uart16550.c. Caught by: unit_uart.an_empty_fifo_may_be_read. Mistake: takes a byte
 * out of an empty FIFO, whose count becomes 255. */
static uint8_t fifo_pop(struct uart *u)
{
    uint8_t byte = u->fifo[u->fifo_first];

    u->fifo_first = (u->fifo_first + 1) % FIFO_SIZE;
    u->fifo_count--;
    return byte;
}
