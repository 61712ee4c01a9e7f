HYPERVISOR += hypervisor/boot/initrd.c
HYPERVISOR += hypervisor/devices/exit_port.c
HYPERVISOR += hypervisor/devices/reset.c
HYPERVISOR += hypervisor/devices/results_port.c
