/* Boot an ELF kernel by the PVH protocol (Xen, "x86/HVM direct boot ABI"): 32-bit protected mode, start_info
 * in EBX. */
#include "kernel.h"

#define XEN_ELFNOTE_PHYS32_ENTRY 18

static bool pvh_probe(const uint8_t head[PAGE_SIZE])
{
    return memcmp(head, ELFMAG, SELFMAG) == 0;
}

/* The physical entry point is the descriptor of a note, 4 or 8 bytes of it; the ELF entry is for something
 * else. */
static int pvh_entry(const struct elf *elf, uint64_t *entry)
{
    *entry = 0;
    int n = elf_find_note(elf, "Xen", XEN_ELFNOTE_PHYS32_ENTRY, entry, sizeof *entry);
    if (n == -ENOENT)
        return complain(-ENOEXEC,
                        "%s: has no PVH note (owner \"Xen\", type 18), so it does not say where it starts",
                        elf->name);
    if (n >= 0 && n != 4 && n != 8)
        return complain(-ENOEXEC, "%s: the PVH note has %d bytes; an address of 4 or 8 was expected",
                        elf->name, n);
    const Elf64_Phdr *p = elf_segment_at(elf, *entry);
    if (n >= 0 && (!p || !(p->p_flags & PF_X) || *entry > UINT32_MAX))
        return complain(-ENOEXEC, "%s: the PVH entry 0x%lx is not in an executable segment below 4 GiB",
                        elf->name, *entry);
    return n < 0 ? n : 0;
}

static void pvh_fill(struct vm *vm, struct pvh_boot_data *data)
{
    *data = (struct pvh_boot_data){
        .info = {.magic = 0x336ec578, /* "xEn3", its top bit set */
                 .version = 1,
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

/* The state of "x86/HVM direct boot ABI": paging off, flat 32-bit segments, a task segment, interrupts off.
 */
static int pvh_set_registers(struct vcpu *vcpu, uint64_t entry)
{
    const struct kvm_segment data = {
        .limit = 0xffffffff, .selector = 0x18, .type = 3, .present = 1, .db = 1, .s = 1, .g = 1};
    struct kvm_regs regs = {.rip = entry, .rbx = PVH_BOOT_DATA, .rflags = 2};
    struct kvm_sregs sregs;

    if (kvm_ioctl(vcpu->fd, KVM_GET_SREGS, &sregs, "read the vCPU's registers") < 0)
        return -EIO;
    sregs.cr0 = 1 | 1 << 4; /* PE; ET is always one */
    sregs.cr4 = sregs.efer = 0;
    sregs.cs = sregs.ds = sregs.es = sregs.ss = sregs.fs = sregs.gs = data;
    sregs.cs.selector = 0x10;
    sregs.cs.type = 11;                                                       /* code, readable, accessed */
    sregs.tr = (struct kvm_segment){.limit = 0x67, .type = 11, .present = 1}; /* a busy 32-bit task */
    if (kvm_ioctl(vcpu->fd, KVM_SET_SREGS, &sregs, "set the vCPU's registers") < 0)
        return -EIO;
    return kvm_ioctl(vcpu->fd, KVM_SET_REGS, &regs, "set the vCPU's registers");
}

static int pvh_load(struct vm *vm, const char *path, int fd, uint64_t size)
{
    struct elf elf;
    uint64_t entry;

    int err = elf_open(&elf, path, fd, size);
    if (err == 0)
        err = pvh_entry(&elf, &entry);
    if (err == 0)
        err = memory_reserve(vm, PVH_BOOT_DATA, sizeof(struct pvh_boot_data), "the PVH start information");
    if (err == 0)
        err = elf_load(&elf, vm);
    if (err)
        return err;
    pvh_fill(vm, guest_ptr(vm, PVH_BOOT_DATA, sizeof(struct pvh_boot_data)));
    return pvh_set_registers(vm->vcpus[0], entry);
}

LOADER(pvh) = {.probe = pvh_probe, .load = pvh_load};
