/* Lab 1: the ways in which a real-mode guest leaves for the hypervisor, and what must come of each. */
#include <unistd.h>
#include "guest.h"

GUEST(print_code, ".code16", "mov $'H', %al; out %al, $0xe9; mov $'i', %al; out %al, $0xe9; hlt");

static void out_to_port_e9_prints(void **state)
{
    (void)state;
    struct vm *vm = vm_from_code(print_code, print_code_end);

    run_until_halt(vm);
    expect_text(guest_output(), "Hi",
                "OUT to port 0xE9 is KVM_EXIT_IO, direction out; the byte lies at run + io.data_offset.");
    expect_number(vm->vcpus[0]->exits[KVM_EXIT_IO], 2, "each OUT is one exit");
    free_vm(vm);
}

GUEST(out_sizes_code, ".code16",
      "mov $0x200, %dx; mov $0x11223344, %eax; out %al, %dx; out %ax, %dx; out %eax, %dx; hlt");

static void out_of_each_size_reaches_the_device(void **state)
{
    (void)state;
    struct vm *vm = vm_from_code(out_sizes_code, out_sizes_code_end);

    record_port(vm, 0x200, 8, 0);
    run_until_halt(vm);
    expect_text(recorded(), "w1 44 w2 3344 w4 11223344",
                "io.size says whether 1, 2 or 4 bytes were written.");
    free_vm(vm);
}

GUEST(in_sizes_code, ".code16",
      "mov $0x200, %dx; xor %eax, %eax; in %dx, %eax; mov %eax, %ebx;"
      "mov $-1, %eax; in %dx, %ax; mov %eax, %ecx; mov $-1, %eax; in %dx, %al; mov %eax, %esi; hlt");

static void in_of_each_size_fills_just_its_bytes(void **state)
{
    (void)state;
    struct vm *vm = vm_from_code(in_sizes_code, in_sizes_code_end);

    record_port(vm, 0x200, 8, 0x55667788);
    run_until_halt(vm);
    struct kvm_regs regs = guest_regs(vm);
    expect_number(regs.rbx, 0x55667788, "IN EAX reads four bytes");
    expect_number(regs.rcx, 0xffff7788, "IN AX reads two bytes and leaves the rest of EAX alone");
    expect_number(regs.rsi, 0xffffff88, "IN AL reads one byte and leaves the rest of EAX alone");
    free_vm(vm);
}

GUEST(rep_outsb_code, ".code16",
      "call 1f; .ascii \"abc\"; 1: pop %si; mov $3, %cx; mov $0xe9, %dx; cld; rep outsb; hlt");

static void rep_outsb_writes_successive_bytes(void **state)
{
    (void)state;
    struct vm *vm = vm_from_code(rep_outsb_code, rep_outsb_code_end);

    run_until_halt(vm);
    expect_text(guest_output(), "abc",
                "REP OUTSB moves the data pointer (SI) after each byte; the port in DX stays the same.");
    free_vm(vm);
}

GUEST(rep_insw_code, ".code16", "mov $0x200, %dx; mov $0x600, %di; mov $3, %cx; cld; rep insw; hlt");

static void rep_insw_reads_the_same_port_into_successive_words(void **state)
{
    (void)state;
    struct vm *vm = vm_from_code(rep_insw_code, rep_insw_code_end);

    record_port(vm, 0x200, 2, 0xbeef);
    run_until_halt(vm);
    const uint8_t expected[] = {0xef, 0xbe, 0xef, 0xbe, 0xef, 0xbe};
    expect_bytes(guest_ptr(vm, 0x600, 6), expected, 6,
                 "REP INSW: the memory pointer (DI) moves, the port does not");
    free_vm(vm);
}

GUEST(unclaimed_code, ".code16", "mov $0x300, %dx; xor %eax, %eax; in %dx, %eax; out %eax, %dx; hlt");

static void unclaimed_port_reads_all_ones(void **state)
{
    (void)state;
    struct vm *vm = vm_from_code(unclaimed_code, unclaimed_code_end);

    run_until_halt(vm);
    expect_number(guest_regs(vm).rax, 0xffffffff,
                  "where no device answers, the bus reads as all ones, as on a PC");
    free_vm(vm);
}

GUEST(mmio_code, ".code16",
      "mov $0xf000, %ax; mov %ax, %ds; movb $0x5a, 0; movw $0x1234, 8; movl $0xdeadbeef, 16; mov 4, %ebx; "
      "mov 2, %cl; hlt");

static void mmio_of_each_size_reaches_the_device(void **state)
{
    (void)state;
    struct vm *vm = vm_from_code(mmio_code, mmio_code_end);
    struct kvm_userspace_memory_region low = {
        .slot = vm->ram[0].slot, .memory_size = 0xf0000, .userspace_addr = (uintptr_t)vm->ram[0].hva};

    /* Real mode reaches no higher than 1 MiB: take the RAM away from 0xF0000 up, to have device memory there.
     */
    struct kvm_userspace_memory_region none = low;
    none.memory_size = 0;
    assert_int_equal(ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &none), 0);
    assert_int_equal(ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &low), 0);
    record_mmio(vm, 0xf0000, 0x1000, 0x99aabbcc);
    run_until_halt(vm);
    expect_text(recorded(), "w1 5a w2 1234 w4 deadbeef r4 +4 r1 +2",
                "what is not RAM exits as KVM_EXIT_MMIO; mmio.len is the size, mmio.is_write the direction.");
    struct kvm_regs regs = guest_regs(vm);
    expect_number(regs.rbx, 0x99aabbcc, "a read's answer goes to mmio.data");
    expect_number(regs.rcx & 0xff, 0xcc, "a one-byte read takes one byte of the answer");
    free_vm(vm);
}

GUEST(halt_code, ".code16", "hlt");

static void hlt_ends_the_guest_with_status_0(void **state)
{
    (void)state;
    struct vm *vm = vm_from_code(halt_code, halt_code_end);

    run_until_halt(vm);
    expect_number(vm->vcpus[0]->exit_count, 1, "a lone HLT is one exit");
    free_vm(vm);
}

GUEST(start_code, ".code16", "mov %cs, %ax; mov %ds, %bx; mov %ss, %cx; pushf; pop %si; hlt");

static void real_mode_starts_as_documented(void **state)
{
    (void)state;
    struct vm *vm = vm_from_code(start_code, start_code_end);
    struct kvm_sregs sregs;

    assert_int_equal(ioctl(vm->vcpus[0]->fd, KVM_GET_SREGS, &sregs), 0);
    expect_number(sregs.ds.limit, 0xffff,
                  "what need not change must stay as the reset left it: get the special registers, change "
                  "CS, set them");
    run_until_halt(vm);
    struct kvm_regs regs = guest_regs(vm);
    expect_number(regs.rax & 0xffff, 0, "CS is 0: an offset is a physical address");
    expect_number(regs.rbx & 0xffff, 0, "DS is 0");
    expect_number(regs.rcx & 0xffff, 0, "SS is 0");
    expect_number(regs.rsp & 0xffff, 0x7c00, "the stack grows down from 0x7C00");
    expect_number(regs.rsi & 0x202, 2, "interrupts are off (IF), and bit 1 of FLAGS is always one");
    free_vm(vm);
}

static void two_pieces_of_ram_are_one_file(void **state)
{
    (void)state;
    struct vm *vm = calloc(1, sizeof *vm);
    uint32_t value = 0x12345678, found = 0;

    features_collect();
    options_clear();
    vm->memory = RAM_LOW_END + MiB;
    vm->cpus = 1;
    vm->bare = true;
    expect_number((uint64_t)vm_create(vm), 0,
                  "RAM above 3 GiB is a second piece, at 4 GiB; KVM wants a slot number of its own for it");
    expect_number(vm->ram_count, 2, "each piece is noted in vm->ram[] and counted");
    expect_number(vm->ram[1].gpa, RAM_HIGH_BASE, "the second piece begins at the gpa that was asked for");
    memcpy(vm->ram[1].hva, &value, sizeof value);
    assert_int_equal(pread(vm->ram_fd, &found, sizeof found, RAM_LOW_END), sizeof found);
    expect_number(
        found, value,
        "a store to the second piece must be seen in the file, at fd_offset: the mapping is shared");
    free_vm(vm);
}

GUEST(loop_code, ".code16", "1: incl 0x600; jmp 1b");

static void a_spinning_guest_can_be_paused_resumed_and_stopped(void **state)
{
    (void)state;
    struct vm *vm = vm_from_code(loop_code, loop_code_end);
    volatile uint32_t *counter = guest_ptr(vm, 0x600, 4);

    assert_int_equal(vm_start(vm), 0);
    while (*counter < 1000)
        ;
    vm_pause(vm);
    uint32_t paused_at = *counter;
    for (int i = 0; i < 1000000; i++)
        expect_number(*counter, paused_at, "a paused guest must stand still");
    vm_resume(vm);
    while (*counter == paused_at)
        ;
    vm_stop(vm, 42);
    expect_number((uint64_t)vm_join(vm), 42, "vm_stop() from another thread ends the guest with that status");
    free_vm(vm);
}

GUEST(stop_code, ".code16", "mov $7, %al; out %al, $0x55; out %al, $0xe9; hlt");

static void stopping_write(const struct access *a, uint64_t value)
{
    vm_stop(a->vm, (int)value);
}

static void a_device_that_stops_the_vm_runs_no_further_instruction(void **state)
{
    (void)state;
    struct vm *vm = vm_from_code(stop_code, stop_code_end);
    static const struct bus_ops ops = {.sizes = 1, .write = stopping_write};

    assert_int_equal(bus_claim(&vm->ports, 0x55, 1, "stopper", &ops, NULL), 0);
    expect_number((uint64_t)run_vm(vm), 7, "the first vm_stop() decides the status");
    expect_text(guest_output(), "", "after vm_stop() the guest must not go on to its next OUT");
    free_vm(vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(out_to_port_e9_prints),
        cmocka_unit_test(out_of_each_size_reaches_the_device),
        cmocka_unit_test(in_of_each_size_fills_just_its_bytes),
        cmocka_unit_test(rep_outsb_writes_successive_bytes),
        cmocka_unit_test(rep_insw_reads_the_same_port_into_successive_words),
        cmocka_unit_test(unclaimed_port_reads_all_ones),
        cmocka_unit_test(mmio_of_each_size_reaches_the_device),
        cmocka_unit_test(hlt_ends_the_guest_with_status_0),
        cmocka_unit_test(real_mode_starts_as_documented),
        cmocka_unit_test(two_pieces_of_ram_are_one_file),
        cmocka_unit_test(a_spinning_guest_can_be_paused_resumed_and_stopped),
        cmocka_unit_test(a_device_that_stops_the_vm_runs_no_further_instruction),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
