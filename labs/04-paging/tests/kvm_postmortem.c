/* Lab 4: each way to die of a triple fault, and that the post-mortem names its true cause. */
#include "guest.h"

#define IDT_GPA 0x3000 + TABLES64 + 0x1000 /* the page after the page tables */
#define GUARD   0x8e000
#define DATA    0x20000

static uint64_t *pte(struct vm *vm, uint64_t gva)
{
    return (uint64_t *)guest_ptr(vm, TABLES64 + 0x3000, 4096) + gva / 4096;
}

/* An IDT whose 32 gates all lead to `handler`, on the stack in use. */
static void set_idt(struct vm *vm, uint64_t handler)
{
    uint64_t *idt = guest_ptr(vm, IDT_GPA, 32 * 16);
    struct kvm_sregs sregs;

    for (int i = 0; i < 32; i++) {
        idt[2 * i] = (handler & 0xffff) | 8 << 16 | 0x8eull << 40 | (handler >> 16 & 0xffff) << 48;
        idt[2 * i + 1] = handler >> 32;
    }
    assert_int_equal(ioctl(vm->vcpus[0]->fd, KVM_GET_SREGS, &sregs), 0);
    sregs.idt = (struct kvm_dtable){IDT_GPA, 32 * 16 - 1, {0}};
    assert_int_equal(ioctl(vm->vcpus[0]->fd, KVM_SET_SREGS, &sregs), 0);
}

static const char *death(struct vm *vm)
{
    begin_stderr();
    int status = run_vm(vm);
    const char *text = end_stderr();

    if (getenv("SHOW"))
        fputs(text, stderr);
    expect_number((uint64_t)status, STATUS_TRIPLE_FAULT, text);
    expect_contains(text, "The guest died: triple fault", "the first line says what happened");
    return text;
}

GUEST(ud2_code, ".code64", "mov $0x1234, %ebx; ud2");

static void no_idt_is_named(void **state)
{
    (void)state;
    struct vm *vm = vm_from_code64(ud2_code, ud2_code_end);
    const char *text = death(vm);

    expect_contains(text, "#UD", "UD2 raises #UD, invalid opcode");
    expect_contains(text, "there is no IDT", "with an IDT limit of 0 no exception can be delivered");
    expect_contains(text, "RIP 0000000000010005", "RIP is that of UD2 itself");
    expect_contains(text, "bytes: 0f 0b", "the bytes at RIP are UD2's");
    expect_contains(text, "RBX 0000000000001234", "registers are those of the moment of death");
    free_vm(vm);
}

GUEST(recurse_code, ".code64", "1: push %rbp; mov %rsp, %rbp; call 1b");

static void stack_overflow_is_named(void **state)
{
    (void)state;
    struct vm *vm = vm_from_code64(recurse_code, recurse_code_end);

    set_idt(vm, CODE64_BASE);
    *pte(vm, GUARD) = 0;
    const char *text = death(vm);
    expect_contains(text, "stack", "the stack ran into its guard page");
    expect_contains(text, "overflow", "that is called a stack overflow");
    expect_contains(text, "PT[142] NOT PRESENT", "page 0x8e of the last table is the guard page");
    expect_contains(text, "x 255", "the backtrace counts repeated frames instead of printing each");
    free_vm(vm);
}

GUEST(nowhere_code, ".code64", "mov $0x40000000, %eax; jmp *%rax");

static void jump_to_nowhere_is_named(void **state)
{
    (void)state;
    struct vm *vm = vm_from_code64(nowhere_code, nowhere_code_end);
    const char *text = death(vm);

    expect_contains(text, "a jump to nowhere", "nothing is mapped at the target");
    expect_contains(text, "RIP 0000000040000000", "RIP is the target of the jump");
    expect_contains(text, "PDPT[1] NOT PRESENT", "the walk of RIP ends in the second entry of the PDPT");
    free_vm(vm);
}

GUEST(null_code, ".code64", "xor %eax, %eax; call *%rax");

static void null_call_is_named(void **state)
{
    (void)state;
    struct vm *vm = vm_from_code64(null_code, null_code_end);

    *pte(vm, 0) = 0;
    expect_contains(death(vm), "NULL", "RIP 0 comes from a function pointer that was never set");
    free_vm(vm);
}

GUEST(nx_code, ".code64", "mov $0x20000, %eax; jmp *%rax");

static void executing_data_is_named(void **state)
{
    (void)state;
    struct vm *vm = vm_from_code64(nx_code, nx_code_end);

    *pte(vm, DATA) |= 1ull << 63;
    const char *text = death(vm);
    expect_contains(text, "it executed data", "the page has the NX bit");
    expect_contains(text, "NO-EXECUTE", "and the walk shows it");
    free_vm(vm);
}

GUEST(cr3_code, ".code64", "mov $0x7ff0000000, %rax; mov %rax, %cr3; nop");

static void bad_cr3_is_named(void **state)
{
    (void)state;
    struct vm *vm = vm_from_code64(cr3_code, cr3_code_end);
    const char *text = death(vm);

    expect_contains(text, "bad page tables: CR3 is 7ff0000000", "CR3 points where there is no RAM");
    free_vm(vm);
}

GUEST(unmapped_cr3_code, ".code64", "mov $0x200000, %eax; mov %rax, %cr3; nop");

static void page_tables_that_miss_the_code_are_named(void **state)
{
    (void)state;
    struct vm *vm = vm_from_code64(unmapped_cr3_code, unmapped_cr3_code_end);

    expect_contains(death(vm), "do not map the code that loads them",
                    "the new tables (all zero) map nothing");
    free_vm(vm);
}

GUEST(read_only_code, ".code64", "mov $0x20008, %eax; movl $1, (%rax)");

static void write_to_a_read_only_page_is_named(void **state)
{
    (void)state;
    struct vm *vm = vm_from_code64(read_only_code, read_only_code_end);

    *pte(vm, DATA) &= ~2ull;
    const char *text = death(vm);
    expect_contains(text, "#PF: ring 0 tried to write 0000000000020008", "the fault's address is in CR2");
    expect_contains(text, "READ-ONLY", "the W bit is clear, and CR0.WP makes the kernel obey it");
    free_vm(vm);
}

GUEST(read_code, ".code64", "mov $0x50000000, %eax; mov (%rax), %ebx");

static void empty_idt_entry_is_named(void **state)
{
    (void)state;
    struct vm *vm = vm_from_code64(read_code, read_code_end);

    set_idt(vm, CODE64_BASE);
    memset(guest_ptr(vm, IDT_GPA + 14 * 16, 16), 0, 16);
    memset(guest_ptr(vm, IDT_GPA + 8 * 16, 16), 0, 16);
    const char *text = death(vm);
    expect_contains(text, "#PF: ring 0 tried to read 0000000050000000", "the first exception is the cause");
    expect_contains(text, "IDT entry 14 is empty", "the page-fault handler is missing");
    free_vm(vm);
}

static void unmapped_handler_is_named(void **state)
{
    (void)state;
    struct vm *vm = vm_from_code64(read_code, read_code_end);

    set_idt(vm, 0xffffffff80000000);
    *pte(vm, GUARD) = 0; /* each fault pushes a frame and faults again, down to here */
    expect_contains(death(vm), "its handler at ffffffff80000000 cannot be executed",
                    "the gate leads nowhere");
    free_vm(vm);
}

GUEST(gp_code, ".code64", "mov $1, %al; out %al, $0x33; in $0x33, %al; mov $1 << 63, %rax; mov %rax, %cr4");

static void general_protection_after_exits_is_named(void **state)
{
    (void)state;
    struct vm *vm = vm_from_code64(gp_code, gp_code_end);
    const char *text = death(vm);

    expect_contains(text, "#GP", "a reserved bit in CR4 raises #GP");
    expect_contains(text, "port I/O (KVM_EXIT_IO) to 0x33, 1 byte", "the last exits are listed");
    expect_contains(text, "after 3 exits", "two exits for I/O, one for the death");
    free_vm(vm);
}

GUEST(null_read_code, ".code64", "xor %eax, %eax; mov (%rax), %ebx");

static void null_read_shows_the_walk_of_address_0(void **state)
{
    (void)state;
    struct vm *vm = vm_from_code64(null_read_code, null_read_code_end);

    *pte(vm, 0) = 0;
    const char *text = death(vm);
    expect_contains(text, "#PF: ring 0 tried to read 0000000000000000", "CR2 is 0, and that is the cause");
    expect_contains(strstr(text, "Page walks:"), "CR2 0000000000000000", "so its walk is shown too");
    free_vm(vm);
}

GUEST(string_input_code, ".code64", "mov $0x20010, %edi; mov $0x3fd, %dx; mov $5, %ecx; rep insb");

static void fault_of_string_input_is_named(void **state)
{
    (void)state;
    struct vm *vm = vm_from_code64(string_input_code, string_input_code_end);

    *pte(vm, DATA) &= ~2ull;
    expect_contains(death(vm), "#PF: ring 0 tried to write 0000000000020010",
                    "the port is read before the page turns out to be read-only");
    free_vm(vm);
}

GUEST(read_user_code, ".code64", "mov $0x20000, %eax; mov (%rax), %ebx");
GUEST(call_user_code, ".code64", "mov $0x20000, %eax; call *%rax");
GUEST(enter_ring3_code, ".code64", "push $0x23; push $0x20ff0; push $2; push $0x1b; push $0x20000; iretq");
GUEST(enter_ring3_wrongly_code, ".code64",
      "push $0x23; push $0x20ff0; push $2; push $0x1b; push $0x11000; iretq");

/* A VM with SMEP and SMAP, segments for ring 3, and a page for it, at DATA, that begins with CLI. */
static struct vm *vm_with_ring3(const uint8_t *code, const uint8_t *end)
{
    struct vm *vm = vm_from_code64(code, end);
    uint64_t *gdt = guest_ptr(vm, 0x500, 40);
    struct kvm_sregs sregs;

    gdt[3] = 0x00affb000000ffff;
    gdt[4] = 0x00cff3000000ffff;
    for (uint64_t table = TABLES64; table < TABLES64 + 0x3000; table += 0x1000)
        *(uint64_t *)guest_ptr(vm, table, 8) |= 4;
    *pte(vm, DATA) |= 4;
    *(uint8_t *)guest_ptr(vm, DATA, 1) = 0xfa;
    assert_int_equal(ioctl(vm->vcpus[0]->fd, KVM_GET_SREGS, &sregs), 0);
    sregs.cr4 |= 3 << 20;
    sregs.gdt.limit = 39;
    assert_int_equal(ioctl(vm->vcpus[0]->fd, KVM_SET_SREGS, &sregs), 0);
    return vm;
}

static void privileged_instruction_in_ring_3_is_named(void **state)
{
    (void)state;
    struct vm *vm = vm_with_ring3(enter_ring3_code, enter_ring3_code_end);
    const char *text = death(vm);

    expect_contains(text, "#GP", "ring 3 may not execute CLI");
    expect_contains(text, "RIP 0000000000020000", "RIP is that of CLI");
    expect_contains(text, "(user, rwx)",
                    "its page is the program's, and ring 3 may execute it in spite of SMEP");
    free_vm(vm);
}

static void ring_3_in_a_kernel_page_is_named(void **state)
{
    (void)state;
    struct vm *vm = vm_with_ring3(enter_ring3_wrongly_code, enter_ring3_wrongly_code_end);
    const char *text = death(vm);

    expect_contains(text, "ring 3 jumped into a page of the kernel",
                    "the page is mapped, but not for ring 3");
    expect_contains(text, "KERNEL ONLY", "and the walk shows it");
    free_vm(vm);
}

static void smep_is_named(void **state)
{
    (void)state;
    struct vm *vm = vm_with_ring3(call_user_code, call_user_code_end);

    expect_contains(death(vm), "SMEP: the kernel executed a user page", "the page is mapped, but for ring 3");
    free_vm(vm);
}

static void smap_is_named(void **state)
{
    (void)state;
    struct vm *vm = vm_with_ring3(read_user_code, read_user_code_end);
    const char *text = death(vm);

    expect_contains(text, "#PF: ring 0 tried to read 0000000000020000", "the fault's address is in CR2");
    expect_contains(text, "SMAP", "the page is there; what is missing is STAC");
    expect_contains(strstr(text, "Page walks:"), "SMAP", "the walk below the cause says the same");
    free_vm(vm);
}

GUEST(reserved_code, ".code64", "mov $0x200000, %eax; mov (%rax), %ebx");

static void reserved_bit_is_named(void **state)
{
    (void)state;
    struct vm *vm = vm_from_code64(reserved_code, reserved_code_end);

    ((uint64_t *)guest_ptr(vm, TABLES64 + 0x2000, 4096))[1] |= 1 << 13;
    expect_contains(death(vm), "A RESERVED BIT IS SET", "the address of a 2 MiB page is a multiple of 2 MiB");
    free_vm(vm);
}

GUEST(real_mode_code, ".code16", "lidt 0x600; xor %cx, %cx; div %cx");

static void death_in_real_mode_is_reported(void **state)
{
    (void)state;
    struct vm *vm = vm_from_code(real_mode_code, real_mode_code_end);

    expect_contains(death(vm), "real mode", "the guest never left real mode");
    free_vm(vm);
}

GUEST(device_code, ".code64", "mov $0x3000000, %eax; jmp *%rax");

static void executing_device_memory_is_an_internal_error(void **state)
{
    (void)state;
    struct vm *vm = vm_from_code64(device_code, device_code_end);

    ((uint64_t *)guest_ptr(vm, TABLES64 + 0x2000, 4096))[24] = 0x3000083; /* mapped, but beyond the RAM */
    begin_stderr();
    int status = run_vm(vm);
    const char *text = end_stderr();
    expect_number((uint64_t)status, STATUS_KVM_ERROR, text);
    expect_contains(text, "KVM cannot go on", "instructions are not fetched from device memory");
    expect_contains(text, "RIP 0000000003000000", "RIP shows where");
    expect_contains(text, "NOT RAM", "and its walk leads out of the RAM");
    free_vm(vm);
}

GUEST(loop_frames_code, ".code64", "mov $0x20000, %ebp; ud2");

static void hostile_frame_pointers_and_tables_do_no_harm(void **state)
{
    (void)state;
    struct vm *vm = vm_from_code64(loop_frames_code, loop_frames_code_end);
    uint64_t *frame = guest_ptr(vm, DATA, 16);

    frame[0] = DATA; /* a frame that is its own caller */
    frame[1] = ~0ull;
    expect_contains(death(vm), "there is no IDT", "the report goes on to its end");
    free_vm(vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_idt_is_named),
        cmocka_unit_test(stack_overflow_is_named),
        cmocka_unit_test(jump_to_nowhere_is_named),
        cmocka_unit_test(null_call_is_named),
        cmocka_unit_test(executing_data_is_named),
        cmocka_unit_test(bad_cr3_is_named),
        cmocka_unit_test(page_tables_that_miss_the_code_are_named),
        cmocka_unit_test(write_to_a_read_only_page_is_named),
        cmocka_unit_test(empty_idt_entry_is_named),
        cmocka_unit_test(unmapped_handler_is_named),
        cmocka_unit_test(general_protection_after_exits_is_named),
        cmocka_unit_test(null_read_shows_the_walk_of_address_0),
        cmocka_unit_test(fault_of_string_input_is_named),
        cmocka_unit_test(privileged_instruction_in_ring_3_is_named),
        cmocka_unit_test(ring_3_in_a_kernel_page_is_named),
        cmocka_unit_test(smep_is_named),
        cmocka_unit_test(smap_is_named),
        cmocka_unit_test(reserved_bit_is_named),
        cmocka_unit_test(death_in_real_mode_is_reported),
        cmocka_unit_test(executing_device_memory_is_an_internal_error),
        cmocka_unit_test(hostile_frame_pointers_and_tables_do_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
