TITLE_10 = A debugger for the guest: gdb's remote protocol
HYPERVISOR += hypervisor/inspect/gdb.h
HYPERVISOR += hypervisor/inspect/gdb_packet.c
