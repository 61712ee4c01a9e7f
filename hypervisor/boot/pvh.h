/* What a PVH kernel finds in memory (Xen, xen/include/public/arch-x86/hvm/start_info.h). All numbers are
 * little-endian. */
#ifndef PVH_H
#define PVH_H

#include "../vm.h"

#define PVH_BOOT_DATA 0x6000 /* guest-physical; EBX holds it at the entry */

struct pvh_start_info {
    uint32_t magic, version, flags, nr_modules;
    uint64_t modlist_paddr, cmdline_paddr, rsdp_paddr;
    uint64_t memmap_paddr; /* this and the rest since version 1 */
    uint32_t memmap_entries, reserved;
};

struct pvh_module {
    uint64_t paddr, size, cmdline_paddr, reserved;
};

/* All of it in one piece. The kernel learns where the parts are from `info`. */
struct pvh_boot_data {
    struct pvh_start_info info;
    struct pvh_module modules[sizeof((struct vm *)0)->modules / sizeof(struct range)];
    struct map_entry map[MAP_ENTRIES_MAX];
    char cmdline[CMDLINE_MAX];
};

void pvh_fill(struct vm *vm, struct pvh_boot_data *data);

#endif
