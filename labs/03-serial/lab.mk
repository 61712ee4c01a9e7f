TITLE_03 = A serial port that is not there
HYPERVISOR += hypervisor/devices/console.c
HYPERVISOR += hypervisor/devices/console.h
HYPERVISOR += hypervisor/devices/uart16550.c
GUESTOS += guestos/kernel/irq.c
GUESTOS += guestos/drivers/uart.c
GUESTOS += guestos/include/irq.h
GUESTOS += guestos/include/errno.h
