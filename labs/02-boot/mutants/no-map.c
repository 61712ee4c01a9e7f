/* In: hypervisor/boot/pvh.c. Caught by: kvm_pvh.start_information_describes_the_machine. Mistake: version 0
 * of the structure, which has no memory map. */
static void pvh_fill(struct vm *vm, struct pvh_boot_data *data)
{
    *data = (struct pvh_boot_data){
        .info = {.magic = 0x336ec578, /* "xEn3", its top bit set */
                 .version = 0,
                 .nr_modules = vm->initrd.size > 0,
                 .modlist_paddr = PVH_BOOT_DATA + offsetof(struct pvh_boot_data, initrd),
                 .cmdline_paddr = PVH_BOOT_DATA + offsetof(struct pvh_boot_data, cmdline),
                 .rsdp_paddr = vm->rsdp,
                 .memmap_paddr = PVH_BOOT_DATA + offsetof(struct pvh_boot_data, map)},
        .initrd = {.paddr = vm->initrd.gpa, .size = vm->initrd.size},
    };
    data->info.memmap_entries = memory_map(vm, data->map);
    strcpy(data->cmdline, vm->cmdline);
}
