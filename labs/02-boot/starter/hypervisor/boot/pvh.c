/*
 * Find out where the kernel wants to start: the descriptor, of 4 or 8 bytes, of its note "Xen",
 * XEN_ELFNOTE_PHYS32_ENTRY. It must lie in an executable segment below 4 GiB. Returns 0 with *entry set, or
 * -ENOEXEC after complain(). Xen, "x86/HVM direct boot ABI". Handout, section 4.4.
 */
static int pvh_entry(const struct elf *elf, uint64_t *entry)
{
    (void)elf;
    *entry = 0;
    return lab_todo(2, "pvh_entry", "handout section 4.4");
}

/*
 * Fill in what the kernel finds at PVH_BOOT_DATA: the start information, the initrd as its one module (none
 * if vm->initrd has size 0), the memory map and the command line. Xen, hvm_start_info. Handout, section 4.5.
 */
static void pvh_fill(struct vm *vm, struct pvh_boot_data *data)
{
    (void)vm, (void)data;
    lab_todo(2, "pvh_fill", "handout section 4.5");
}

/*
 * Put the vCPU in the state in which a PVH kernel starts at `entry`: 32-bit protected mode without paging,
 * flat segments, EBX = PVH_BOOT_DATA. Returns 0 or a negative errno. Xen, "x86/HVM direct boot ABI". Handout,
 * section 4.6.
 */
static int pvh_set_registers(struct vcpu *vcpu, uint64_t entry)
{
    (void)vcpu, (void)entry;
    return lab_todo(2, "pvh_set_registers", "handout section 4.6");
}
