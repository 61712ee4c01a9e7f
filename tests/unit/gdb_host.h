/* For the tests of the gdb server on the host: a machine of two vCPUs whose KVM only remembers registers. */
#ifndef GDB_HOST_H
#define GDB_HOST_H

#include "inspect/gdb.h"

#define HOST_RAM   0x10000ul
#define HOST_CPUS  2
#define CODE_GVA   0x400000ul /* and physical 0x8000 */
#define STACK_GVA  0x401000ul /* and physical 0x9000 */
#define IDT_GVA    0x402000ul /* and physical 0xa000 */
#define GDT_GVA    0x402800ul
#define ABSENT_GVA 0x500000ul

extern uint8_t host_ram[HOST_RAM];
extern struct vm host_vm;
extern struct gdb_registers host_registers[HOST_CPUS]; /* of each vCPU, as KVM has them */
extern int host_status;                                /* of the last vm_stop(); -1: none */

extern unsigned host_complaints; /* to the user */

extern struct kvm_guest_debug host_debug; /* of the last KVM_SET_GUEST_DEBUG */

/* A machine in long mode, its page tables as above, all registers zero; breakpoints and steps forgotten. */
void host_begin(void);

uint8_t *host_code(uint64_t gva); /* where the byte at CODE_GVA and so on lies */

#endif
