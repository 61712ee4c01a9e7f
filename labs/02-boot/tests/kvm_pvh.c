/* Lab 2: a kernel starts as the PVH protocol promises, and finds its start information. */
#include <fcntl.h>
#include <unistd.h>
#include "guest.h"
#include "kernel_image.h"
#include "boot/kernel.h"

/* Save what the kernel sees first. 32-bit code; the stack pointer is undefined, so none is used. */
GUEST(entry_code, ".code32",
      "mov %ebx, 0x200000; mov %cr0, %eax; mov %eax, 0x200004; mov %cr4, %eax; mov %eax, 0x200008;"
      "mov %cs, %eax; mov %eax, 0x20000c; mov %ds, %eax; mov %eax, 0x200010;"
      "mov $0x200800, %esp; pushf; pop %eax; mov %eax, 0x200014; str %eax; mov %eax, 0x200018;"
      "mov $1, %eax; cpuid; mov %ecx, 0x20001c; mov %ebx, 0x200020; mov $0x40000000, %eax; cpuid;"
      "mov %ebx, 0x200024; mov %ecx, 0x200028; mov %edx, 0x20002c; mov $7, %al; out %al, $0x55; 1: hlt; jmp "
      "1b");

static void stop(const struct access *a, uint64_t value)
{
    vm_stop(a->vm, (int)value);
}

static struct vm *boot(const char *append)
{
    static const struct bus_ops ops = {.sizes = 1, .write = stop};
    const char *args[] = {"run", "--kernel", kernel_image(entry_code, entry_code_end), "--append", append};
    struct vm *vm = vm_from_options(5, args);

    assert_int_equal(bus_claim(&vm->ports, 0x55, 1, "stop", &ops, NULL), 0);
    expect_number((uint64_t)run_vm(vm), 7, "the kernel should have reached its last instruction");
    return vm;
}

static void registers_are_those_of_the_protocol(void **state)
{
    (void)state;
    struct vm *vm = boot("quiet");
    const uint32_t *seen = guest_ptr(vm, 0x200000, 64);

    expect_number(seen[0], PVH_BOOT_DATA, "EBX holds the physical address of the start information");
    expect_number(seen[1] & 0x80000001, 1, "CR0: PE set, PG clear: protected mode, no paging");
    expect_number(seen[2], 0, "CR4 is zero");
    expect_true(seen[3] != 0, "CS has a selector that is not the null selector");
    expect_number(seen[5] & 0x20300, 0, "EFLAGS: VM, IF and TF are clear");
    free_vm(vm);
}

static void segments_are_flat(void **state)
{
    (void)state;
    const char *args[] = {"run", "--kernel", kernel_image(entry_code, entry_code_end)};
    struct vm *vm = vm_from_options(3, args);
    struct kvm_sregs s;

    assert_int_equal(ioctl(vm->vcpus[0]->fd, KVM_GET_SREGS, &s), 0);
    const struct kvm_segment *flat[] = {&s.cs, &s.ds, &s.es, &s.ss};
    for (size_t i = 0; i < 4; i++) {
        expect_number(flat[i]->base, 0, "CS, DS, ES and SS have base 0");
        expect_number(flat[i]->limit, 0xffffffff, "and limit 4 GiB");
        expect_number(flat[i]->db, 1, "and are 32-bit segments");
    }
    expect_number(s.tr.limit, 0x67, "TR is a 32-bit task segment with limit 0x67");
    free_vm(vm);
}

static void the_entry_is_that_of_the_note(void **state)
{
    (void)state;
    const char *args[] = {"run", "--kernel", kernel_image(entry_code, entry_code_end)};
    struct vm *vm = vm_from_options(3, args);

    expect_number(guest_regs(vm).rip, KERNEL_BASE, "EIP is the entry from the PVH note, not e_entry");
    free_vm(vm);
}

/* What becomes of the kernel when the 32-bit number at this place of its file is changed: 0 if it is loaded.
 */
static int load_changed(long offset, uint32_t value)
{
    const char *args[] = {"run", "--kernel", kernel_image(entry_code, entry_code_end)};
    struct vm *vm = calloc(1, sizeof *vm);
    int fd = open(args[2], O_RDWR);

    assert_int_equal(pwrite(fd, &value, sizeof value, offset), sizeof value);
    close(fd);
    features_collect();
    options_clear();
    assert_int_equal(options_parse(3, (char **)args), 0);
    vm->memory = GUEST_MEMORY;
    vm->cpus = 1;
    int err = vm_create(vm);
    free_vm(vm);
    return err;
}

/* Places in the file of kernel_image(). */
#define CODE_FLAGS (sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr) + offsetof(Elf64_Phdr, p_flags))
#define NOTE       (sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr))
#define NOTE_DESC  (NOTE + offsetof(Elf64_Nhdr, n_descsz))
#define NOTE_ENTRY (NOTE + sizeof(Elf64_Nhdr) + 4)

static void an_entry_that_cannot_be_is_refused(void **state)
{
    (void)state;
    expect_number((uint64_t)load_changed(NOTE_ENTRY, KERNEL_BASE + 1), 0,
                  "an entry that lies in an executable segment is good");
    expect_true(load_changed(NOTE_ENTRY, KERNEL_BASE - 1) < 0,
                "an entry must lie in a segment that is loaded");
    expect_true(load_changed(CODE_FLAGS, PF_R | PF_W) < 0, "and that segment must be executable (PF_X)");
    expect_true(load_changed(NOTE_DESC, 2) < 0, "an address has 4 or 8 bytes, not 2");
    expect_true(load_changed(NOTE + sizeof(Elf64_Nhdr), 'X') < 0,
                "a kernel without the note does not say where it begins: nothing may run");
}

static void start_information_describes_the_machine(void **state)
{
    (void)state;
    struct vm *vm = boot("quiet answer=42");
    const struct pvh_start_info *info = guest_ptr(vm, PVH_BOOT_DATA, sizeof *info);

    expect_number(info->magic, 0x336ec578, "the magic number of hvm_start_info");
    expect_number(info->version, 1, "version 1 has the memory map");
    const char *cmdline = guest_ptr(vm, info->cmdline_paddr, 16);
    expect_true(cmdline != NULL, "cmdline_paddr must be guest-physical: the guest knows no other addresses");
    expect_contains(cmdline, "quiet answer=42", "--append comes first on the command line");
    const struct map_entry *map = guest_ptr(vm, info->memmap_paddr, info->memmap_entries * sizeof *map);
    expect_true(map && info->memmap_entries > 0,
                "memmap_paddr and memmap_entries tell where the memory map is");
    uint64_t ram = 0;
    for (unsigned i = 0; i < info->memmap_entries; i++)
        ram += map[i].type == MAP_RAM ? map[i].size : 0;
    expect_number(ram, GUEST_MEMORY - (MiB - 640 * KiB), "all RAM but the 384 KiB below 1 MiB is in the map");
    free_vm(vm);
}

static void cpuid_tells_of_the_hypervisor(void **state)
{
    (void)state;
    struct vm *vm = boot("quiet");
    const uint32_t *seen = guest_ptr(vm, 0x200000, 64);

    expect_number(seen[7] >> 31, 1, "CPUID 1, ECX bit 31: a hypervisor is present");
    expect_number(seen[8] >> 24, 0, "CPUID 1, EBX bits 31 to 24: the APIC id of the first CPU is 0");
    expect_number(memcmp(&seen[9], "KVMKVMKVM\0\0\0", 12), 0, "leaf 0x40000000 has KVM's signature");
    free_vm(vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registers_are_those_of_the_protocol),
        cmocka_unit_test(segments_are_flat),
        cmocka_unit_test(the_entry_is_that_of_the_note),
        cmocka_unit_test(an_entry_that_cannot_be_is_refused),
        cmocka_unit_test(start_information_describes_the_machine),
        cmocka_unit_test(cpuid_tells_of_the_hypervisor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
