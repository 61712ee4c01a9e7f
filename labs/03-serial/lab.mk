HYPERVISOR += hypervisor/irq.c
HYPERVISOR += hypervisor/irq.h
HYPERVISOR += hypervisor/devices/console.c
HYPERVISOR += hypervisor/devices/console.h
HYPERVISOR += hypervisor/devices/terminal.c
HYPERVISOR += hypervisor/devices/uart16550.c
