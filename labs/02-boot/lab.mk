HYPERVISOR += hypervisor/cpuid.c
HYPERVISOR += hypervisor/boot/elf.c
HYPERVISOR += hypervisor/boot/elf.h
HYPERVISOR += hypervisor/boot/kernel.c
HYPERVISOR += hypervisor/boot/kernel.h
HYPERVISOR += hypervisor/boot/pvh.c
HYPERVISOR += hypervisor/boot/pvh.h
