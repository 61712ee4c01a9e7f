HYPERVISOR += hypervisor/irqchip.c
