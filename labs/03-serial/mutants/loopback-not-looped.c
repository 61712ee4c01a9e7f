/* In: hypervisor/devices/uart16550.c. Caught by: unit_uart.loopback_feeds_the_receiver,
 * kvm_serial.loopback_returns_the_byte. Mistake: sends to the host in loopback, too. */
static void uart_transmit(struct vm *vm, struct uart *u, const uint8_t *bytes, unsigned count)
{
    u->tx_empty = 1;
    vm_output(vm, bytes, count);
}
