/* How guests of labs 1 to 9 die, one row of a table each, and that the first line of the post-mortem names
 * the true cause. SHOW=1 shows all that it says. */
#include "guest.h"

#define IDT_GPA (TABLES64 + 0x4000) /* the page after the page tables */
#define TSS_GPA 0x7000
#define GUARD   0x8e000
#define DATA    0x20000
#define CODE(c) c, c##_end

static uint64_t *pte(struct vm *vm, uint64_t gva)
{
    return (uint64_t *)guest_ptr(vm, TABLES64 + 0x3000, 4096) + gva / 4096;
}

/* ---- What is wrong with the machine, before its first instruction ---- */

/* An IDT whose 32 gates all lead to `handler`, on the stack in use. */
static uint64_t *set_idt(struct vm *vm, uint64_t handler)
{
    uint64_t *idt = guest_ptr(vm, IDT_GPA, 32 * 16);
    struct kvm_sregs sregs = guest_sregs(vm);

    for (int i = 0; i < 32; i++) {
        idt[2 * i] = (handler & 0xffff) | 8 << 16 | 0x8eull << 40 | (handler >> 16 & 0xffff) << 48;
        idt[2 * i + 1] = handler >> 32;
    }
    sregs.idt = (struct kvm_dtable){IDT_GPA, 32 * 16 - 1, {0}};
    set_guest_sregs(vm, &sregs);
    return idt;
}

static void short_idt(struct vm *vm)
{
    set_idt(vm, CODE64_BASE);
    struct kvm_sregs sregs = guest_sregs(vm);
    sregs.idt.limit = 8 * 16 - 1;
    set_guest_sregs(vm, &sregs);
}

static void lost_idt(struct vm *vm)
{
    set_idt(vm, CODE64_BASE);
    *pte(vm, IDT_GPA) = 0;
}

static void without_gates(struct vm *vm)
{
    memset(set_idt(vm, CODE64_BASE), 0, 32 * 16);
}

static void two_empty_gates(struct vm *vm)
{
    uint64_t *idt = set_idt(vm, CODE64_BASE);

    memset(idt + 2 * 14, 0, 16); /* #PF, */
    memset(idt + 2 * 8, 0, 16);  /* and #DF, which follows */
}

static void each_gate(struct vm *vm, uint64_t clear, uint64_t set)
{
    uint64_t *idt = set_idt(vm, CODE64_BASE);

    for (int i = 0; i < 32; i++)
        idt[2 * i] = (idt[2 * i] & ~clear) | set;
}

static void call_gates(struct vm *vm)
{
    each_gate(vm, 15ull << 40, 12ull << 40);
}

static void gates_to_data(struct vm *vm)
{
    each_gate(vm, 8 << 16, 16 << 16);
}

static void gates_beyond_the_gdt(struct vm *vm)
{
    each_gate(vm, 8 << 16, 0x40 << 16);
}

static void gates_with_ist(struct vm *vm)
{
    each_gate(vm, 0, 1ull << 32);
}

static void short_tss(struct vm *vm)
{
    gates_with_ist(vm);
    struct kvm_sregs sregs = guest_sregs(vm);
    sregs.tr.limit = 0x23;
    set_guest_sregs(vm, &sregs);
}

static void empty_tss(struct vm *vm)
{
    gates_with_ist(vm);
    struct kvm_sregs sregs = guest_sregs(vm);
    sregs.tr.base = TSS_GPA;
    set_guest_sregs(vm, &sregs);
}

static void handler_nowhere(struct vm *vm)
{
    set_idt(vm, 0xffffffff80000000);
    *pte(vm, GUARD) = 0; /* each fault pushes a frame and faults again, down to here */
}

static void guard_page(struct vm *vm)
{
    set_idt(vm, CODE64_BASE);
    *pte(vm, GUARD) = 0;
}

static void page_0_unmapped(struct vm *vm)
{
    *pte(vm, 0) = 0;
}

static void data_not_executable(struct vm *vm)
{
    *pte(vm, DATA) |= 1ull << 63;
}

static void data_read_only(struct vm *vm)
{
    *pte(vm, DATA) &= ~2ull;
}

static void large_page_not_aligned(struct vm *vm)
{
    *(uint64_t *)guest_ptr(vm, TABLES64 + 0x2000 + 8, 8) |= 1 << 13;
}

static void device_mapped(struct vm *vm)
{
    *(uint64_t *)guest_ptr(vm, TABLES64 + 0x2000 + 24 * 8, 8) = 0x3000083; /* beyond the RAM */
}

static void compatibility_mode(struct vm *vm)
{
    struct kvm_sregs sregs = guest_sregs(vm);

    sregs.cs.l = 0;
    sregs.cs.db = 1;
    set_guest_sregs(vm, &sregs);
}

static void both_sizes(struct vm *vm)
{
    struct kvm_sregs sregs = guest_sregs(vm);

    sregs.cs.db = 1;
    set_guest_sregs(vm, &sregs);
}

static void base_of_reset(struct vm *vm)
{
    struct kvm_sregs sregs = guest_sregs(vm);

    sregs.cs.base = 0xffff0000;
    sregs.cs.selector = 0xf000;
    set_guest_sregs(vm, &sregs);
}

/* Flat 32-bit segments, paging off: as PVH starts a kernel. */
static void protected_mode(struct vm *vm)
{
    const struct kvm_segment data = {
        .limit = ~0u, .selector = 0x10, .type = 3, .present = 1, .db = 1, .s = 1, .g = 1};
    struct kvm_sregs sregs = guest_sregs(vm);

    sregs.cr0 = 0x11;
    sregs.cs = sregs.ds = sregs.es = sregs.ss = data;
    sregs.cs.selector = 8;
    sregs.cs.type = 11;
    set_guest_sregs(vm, &sregs);
}

/* SMEP and SMAP, segments for ring 3, and a page for it, at DATA. */
static void ring3(struct vm *vm, const char *program, size_t size)
{
    uint64_t *gdt = guest_ptr(vm, 0x500, 40);
    struct kvm_sregs sregs = guest_sregs(vm);

    gdt[3] = 0x00affb000000ffff;
    gdt[4] = 0x00cff3000000ffff;
    for (uint64_t table = TABLES64; table < TABLES64 + 0x3000; table += 0x1000)
        *(uint64_t *)guest_ptr(vm, table, 8) |= 4;
    *pte(vm, DATA) |= 4;
    memcpy(guest_ptr(vm, DATA, size), program, size);
    sregs.cr4 |= 3 << 20;
    sregs.efer |= 1; /* SYSCALL */
    sregs.gdt.limit = 39;
    set_guest_sregs(vm, &sregs);
}

static void program_cli(struct vm *vm)
{
    ring3(vm, "\xfa", 1);
}

static void program_reads_the_kernel(struct vm *vm)
{
    ring3(vm, "\xa0\x00\x10\x01\x00\x00\x00\x00\x00", 9); /* movabs 0x11000, %al */
}

static void program_syscall(struct vm *vm)
{
    *pte(vm, 0) |= 1ull << 63; /* it has the GDT, so it must be mapped */
    ring3(vm, "\x0f\x05", 2);
}

/* An interrupt waits, as a timer's would; the vector has no gate. */
static void interrupt_32(struct vm *vm)
{
    struct kvm_interrupt interrupt = {32};
    struct kvm_regs regs = guest_regs(vm);

    without_gates(vm);
    regs.rflags |= 0x200;
    assert_int_equal(ioctl(vm->vcpus[0]->fd, KVM_SET_REGS, &regs), 0);
    assert_int_equal(ioctl(vm->vcpus[0]->fd, KVM_INTERRUPT, &interrupt), 0);
}

/* ---- What the guests do ---- */

GUEST(real_divide, ".code16", "lidt 0x600; xor %cx, %cx; div %cx");
GUEST(real_read, ".code16", "mov 0x1000, %ax; hlt");
GUEST(no_tables, ".code32",
      "mov $0x20, %eax; mov %eax, %cr4; mov $0x200000, %eax; mov %eax, %cr3; mov $0xc0000080, %ecx; rdmsr;"
      "or $0x100, %eax; wrmsr; mov $0x80000011, %eax; mov %eax, %cr0; nop");
GUEST(bad_cr0, ".code32", "mov $0x80000010, %eax; mov %eax, %cr0");
GUEST(wide, ".code64", "movabs $0x1234567890, %rax; mov (%rax), %rbx");
GUEST(selector, ".code64", "mov $0x40, %eax; mov %eax, %ds");
GUEST(code_as_stack, ".code64", "mov $8, %eax; mov %eax, %ss");
GUEST(wrmsr, ".code64", "mov $0x12345, %ecx; wrmsr");
GUEST(cr4, ".code64", "mov $1, %al; out %al, $0x33; in $0x33, %al; mov $1 << 63, %rax; mov %rax, %cr4");
GUEST(no_pae_any_more, ".code64", "mov $0x600, %eax; mov %rax, %cr4");
GUEST(ud2, ".code64", "mov $0x1234, %ebx; ud2");
GUEST(divide, ".code64", "xor %ecx, %ecx; div %rcx");
GUEST(read_high, ".code64", "mov $0x50000000, %eax; mov (%rax), %ebx");
GUEST(read_null, ".code64", "xor %eax, %eax; mov 8(%rax), %ebx");
GUEST(call_null, ".code64", "xor %eax, %eax; call *%rax");
GUEST(jump_high, ".code64", "mov $0x40000000, %eax; jmp *%rax");
GUEST(read_no_address, ".code64", "mov $0x1234567800000000, %rax; mov 8(%rax,%rbx,4), %ecx");
GUEST(movaps, ".code64", "mov $0x20008, %eax; movaps (%rax), %xmm0");
GUEST(recurse, ".code64", "1: push %rbp; mov %rsp, %rbp; call 1b");
GUEST(no_stack, ".code64", "xor %esp, %esp; push %rax");
GUEST(jump_data, ".code64", "mov $0x20000, %eax; jmp *%rax");
GUEST(read_data, ".code64", "mov $0x20000, %eax; mov (%rax), %ebx");
GUEST(write_data, ".code64", "mov $0x20008, %eax; movl $1, (%rax)");
GUEST(string_input, ".code64", "mov $0x20010, %edi; mov $0x3fd, %dx; mov $5, %ecx; rep insb");
GUEST(read_large, ".code64", "mov $0x200000, %eax; mov (%rax), %ebx");
GUEST(cr3_nowhere, ".code64", "mov $0x7ff0000000, %rax; mov %rax, %cr3; nop");
GUEST(cr3_empty, ".code64", "mov $0x200000, %eax; mov %rax, %cr3; nop");
GUEST(jump_device, ".code64", "mov $0x3000000, %eax; jmp *%rax");
GUEST(add_device, ".code64", "mov $0x3000000, %eax; paddb (%rax), %xmm0");
GUEST(enter_ring3, ".code64", "push $0x23; push $0x20ff0; push $2; push $0x1b; push $0x20000; iretq");
GUEST(enter_wrongly, ".code64", "push $0x23; push $0x20ff0; push $2; push $0x1b; push $0x11000; iretq");
GUEST(enter_nothing, ".code64", "push $0x23; push $0x20ff0; push $2; push $0x5b; push $0x20000; iretq");
GUEST(wait_for_interrupt, ".code64", "hlt");
/* The handler of SYSCALL, at 0x10034, works only if LSTAR is what WRMSR set it to: 42 is printed, and it
 * dies. */
GUEST(syscall_handler, ".code64",
      "mov $0xc0000082, %ecx; lea 1f(%rip), %rax; xor %edx, %edx; wrmsr; out %al, $0x33;"
      "push $0x23; push $0x20ff0; push $2; push $0x1b; push $0x20000; iretq; 1: mov $42, %ebx; ud2");
/* Played again from anywhere but its last exit, it counts on, and goes another way. */
GUEST(count_and_die, ".code64",
      "1: incb 0x20000; out %al, $0x33; cmpb $10, 0x20000; jb 1b; ja 2f; mov $10, %ebx; ud2; 2: out %al, "
      "$0x34; hlt");

enum machine { REAL, LONG };

static const struct death {
    const char *name;
    enum machine machine;
    const uint8_t *code, *end;
    void (*prepare)(struct vm *vm);
    const char *cause[3]; /* in the first line */
    const char *rest[3];  /* somewhere below */
    int status;           /* 0: that of a triple fault */
} deaths[] = {
    /* Lab 1 */
    {"a_forgotten_cs_is_named", REAL, CODE(real_read), base_of_reset,
     .cause = {"where there is no RAM", "ffff7c00"}, .rest = {"CS still has the base"},
     .status = STATUS_KVM_ERROR},
    {"death_in_real_mode_is_reported", REAL, CODE(real_divide), NULL, .cause = {"real mode", "no handler"}},
    /* Lab 2 */
    {"paging_without_tables_is_named", REAL, CODE(no_tables), protected_mode,
     .cause = {"the page tables just loaded do not map the code"}},
    {"paging_without_protection_is_named", REAL, CODE(bad_cr0), protected_mode,
     .cause = {"CR0 cannot be 80000010", "(PE)"}},
    {"a_missing_far_jump_is_named", LONG, CODE(wide), compatibility_mode,
     .cause = {"in 32-bit code (CS is no 64-bit segment)"}},
    {"a_bad_selector_is_named", LONG, CODE(selector), NULL,
     .cause = {"#GP", "selector 0x40 is beyond the GDT (limit 0x17)"}},
    {"a_segment_of_a_wrong_type_is_named", LONG, CODE(code_as_stack), NULL,
     .cause = {"#GP", "selector 0x8 names a descriptor that is not for this"}},
    {"contradicting_segments_are_named", LONG, CODE(ud2), both_sizes,
     .cause = {"CS has both L (64-bit) and D (32-bit)"}, .status = STATUS_KVM_ERROR},
    {"an_unknown_msr_is_named", LONG, CODE(wrmsr), NULL, .cause = {"WRMSR to MSR 0x12345"}},
    {"general_protection_after_exits_is_named", LONG, CODE(cr4), NULL,
     .cause = {"#GP", "CR4 cannot be 8000000000000000"},
     .rest = {"port I/O (KVM_EXIT_IO) to 0x33, 1 byte", "after 3 exits"}},
    {"long_mode_without_pae_is_named", LONG, CODE(no_pae_any_more), NULL,
     .cause = {"CR4 cannot be 600", "needs PAE"}},
    {"an_unknown_instruction_on_a_device_is_named", LONG, CODE(add_device), device_mapped,
     .cause = {"KVM cannot emulate the instruction at RIP 10005"}, .status = STATUS_KVM_ERROR},
    {"executing_device_memory_is_named", LONG, CODE(jump_device), device_mapped,
     .cause = {"where there is no RAM", "3000000"}, .rest = {"NOT RAM"}, .status = STATUS_KVM_ERROR},
    /* Lab 4: what an exception finds */
    {"no_idt_is_named", LONG, CODE(ud2), NULL, .cause = {"#UD", "there is no IDT"},
     .rest = {"RIP 0000000000010005", "bytes: 0f 0b", "RBX 0000000000001234"}},
    {"a_short_idt_is_named", LONG, CODE(read_high), short_idt,
     .cause = {"#PF", "the IDT ends before entry 14 (limit 0x7f)"}},
    {"an_unmapped_idt_is_named", LONG, CODE(read_high), lost_idt,
     .cause = {"#PF", "the IDT at 5000 is not mapped"}, .rest = {"IDT 00000000000050e0 -> "}},
    {"empty_idt_entry_is_named", LONG, CODE(read_high), two_empty_gates,
     .cause = {"ring 0 tried to read 0000000050000000", "IDT entry 14 is empty"}},
    {"a_gate_of_a_wrong_type_is_named", LONG, CODE(read_high), call_gates,
     .cause = {"IDT entry 14 is not an interrupt or trap gate"}},
    {"a_gate_to_a_data_segment_is_named", LONG, CODE(read_high), gates_to_data,
     .cause = {"IDT entry 14 names selector 0x10"}},
    {"a_gate_beyond_the_gdt_is_named", LONG, CODE(read_high), gates_beyond_the_gdt,
     .cause = {"IDT entry 14 names selector 0x40"}},
    {"unmapped_handler_is_named", LONG, CODE(read_high), handler_nowhere,
     .cause = {"its handler at ffffffff80000000 cannot be executed"}},
    {"a_missing_tss_is_named", LONG, CODE(read_high), short_tss,
     .cause = {"there is no usable TSS (TR limit 0x23)"}},
    {"an_empty_tss_is_named", LONG, CODE(read_high), empty_tss,
     .cause = {"its handler's stack in the TSS, 0, is not usable"}, .rest = {"stack fffffffffffffff8 -> "}},
    {"a_handler_that_dies_itself_is_named", LONG, CODE(read_high), guard_page,
     .cause = {"0000000050000000", "its handler raised one itself, at 0000000000010005, again and again"}},
    {"stack_overflow_is_named", LONG, CODE(recurse), guard_page, .cause = {"stack overflow"},
     .rest = {"PT[142] NOT PRESENT", "x 255"}},
    {"a_stack_pointer_of_zero_is_named", LONG, CODE(no_stack), NULL,
     .cause = {"the stack pointer was never set: RSP is 0"}},
    /* Lab 4: what raises one */
    {"division_by_zero_is_named", LONG, CODE(divide), NULL, .cause = {"#DE, a division by zero"}},
    {"null_read_shows_the_walk_of_address_0", LONG, CODE(read_null), page_0_unmapped,
     .cause = {"#PF, ring 0 tried to read 0000000000000008", "NULL pointer"},
     .rest = {"CR2 0000000000000008 -> "}},
    {"null_call_is_named", LONG, CODE(call_null), page_0_unmapped,
     .cause = {"a jump to 0: a function pointer was NULL"}},
    {"jump_to_nowhere_is_named", LONG, CODE(jump_high), NULL,
     .cause = {"a jump to 0000000040000000", "PDPT[1] NOT PRESENT"}, .rest = {"RIP 0000000040000000"}},
    {"an_address_that_is_not_canonical_is_named", LONG, CODE(read_no_address), NULL,
     .cause = {"#GP", "1234567800000008 is not canonical"}},
    {"an_sse_operand_out_of_line_is_named", LONG, CODE(movaps), NULL,
     .cause = {"#GP", "0000000000020008 is not a multiple of 16"}},
    {"executing_data_is_named", LONG, CODE(jump_data), data_not_executable,
     .cause = {"it executed data", "0000000000020000"}, .rest = {"NO-EXECUTE"}},
    {"write_to_a_read_only_page_is_named", LONG, CODE(write_data), data_read_only,
     .cause = {"#PF, ring 0 tried to write 0000000000020008", "READ-ONLY"}},
    {"fault_of_string_input_is_named", LONG, CODE(string_input), data_read_only,
     .cause = {"#PF, ring 0 tried to write 0000000000020010", "READ-ONLY"}},
    {"reserved_bit_is_named", LONG, CODE(read_large), large_page_not_aligned,
     .cause = {"PD[1] A RESERVED BIT IS SET"}},
    {"bad_cr3_is_named", LONG, CODE(cr3_nowhere), NULL, .cause = {"bad page tables: CR3 is 7ff0000000"}},
    {"page_tables_that_miss_the_code_are_named", LONG, CODE(cr3_empty), NULL,
     .cause = {"the page tables just loaded do not map the code"}},
    /* Lab 5 */
    {"an_interrupt_without_a_gate_is_named", LONG, CODE(wait_for_interrupt), interrupt_32,
     .cause = {"interrupt", "IDT entry 14 is empty"}},
    /* Lab 6 */
    {"privileged_instruction_in_ring_3_is_named", LONG, CODE(enter_ring3), program_cli,
     .cause = {"#GP", "ring 3 executed an instruction that only ring 0 may"},
     .rest = {"RIP 0000000000020000", "(user, rwx)"}},
    {"a_program_that_reads_the_kernel_is_named", LONG, CODE(enter_ring3), program_reads_the_kernel,
     .cause = {"ring 3 tried to read 0000000000011000", "KERNEL ONLY"}},
    {"ring_3_in_a_kernel_page_is_named", LONG, CODE(enter_wrongly), program_cli,
     .cause = {"ring 3 jumped to 0000000000011000, a page of the kernel"}, .rest = {"KERNEL ONLY"}},
    {"a_bad_selector_of_iretq_is_named", LONG, CODE(enter_nothing), program_cli,
     .cause = {"#GP", "selector 0x58 is beyond the GDT"}},
    {"smep_is_named", LONG, CODE(jump_data), program_cli,
     .cause = {"SMEP: the kernel executed 0000000000020000"}},
    {"smap_is_named", LONG, CODE(read_data), program_cli,
     .cause = {"ring 0 tried to read 0000000000020000", "SMAP"}},
    {"syscall_to_nowhere_is_named", LONG, CODE(enter_ring3), program_syscall, .cause = {"a jump to 0"}},
    {"death_in_a_system_call_is_named", LONG, CODE(syscall_handler), program_syscall,
     .cause = {"#UD", "there is no IDT"}, .rest = {"RBX 000000000000002a", "bytes: 0f 0b"}},
    /* Any lab */
    {"death_after_a_row_of_exits_is_named", LONG, CODE(count_and_die), NULL, .cause = {"#UD"},
     .rest = {"RBX 000000000000000a", "x 10", "bytes: 0f 0b"}},
};

static const char *death(struct vm *vm, int status)
{
    begin_stderr();
    int got = run_vm(vm);
    const char *text = end_stderr();

    if (getenv("SHOW"))
        fputs(text, stderr);
    expect_number((uint64_t)got, (uint64_t)status, text);
    return text;
}

static void death_is_explained(void **state)
{
    const struct death *d = *state;
    struct vm *vm = (d->machine == REAL ? vm_from_code : vm_from_code64)(d->code, d->end);
    char first[512];

    if (d->prepare)
        d->prepare(vm);
    const char *text = death(vm, d->status ?: STATUS_TRIPLE_FAULT);
    text += strspn(text, "\n");
    snprintf(first, sizeof first, "%.*s", (int)strcspn(text, "\n"), text);
    expect_contains(first, "The guest died: ", "the post-mortem begins so");
    for (unsigned i = 0; i < COUNT(d->cause) && d->cause[i]; i++)
        expect_contains(first, d->cause[i],
                        "the first line names the cause; see hypervisor/inspect/diagnose.c");
    for (unsigned i = 0; i < COUNT(d->rest) && d->rest[i]; i++)
        expect_contains(text, d->rest[i], "what follows shows the state of the CPU when it died");
    free_vm(vm);
}

GUEST(loop_frames, ".code64", "mov $0x20000, %ebp; ud2");

static void hostile_frame_pointers_do_no_harm(void **state)
{
    (void)state;
    struct vm *vm = vm_from_code64(CODE(loop_frames));
    uint64_t *frame = guest_ptr(vm, DATA, 16);

    frame[0] = DATA; /* a frame that is its own caller */
    frame[1] = ~0ull;
    expect_contains(death(vm, STATUS_TRIPLE_FAULT), "Last exits", "the report goes on to its end");
    free_vm(vm);
}

int main(void)
{
    struct CMUnitTest tests[COUNT(deaths) + 1] = {cmocka_unit_test(hostile_frame_pointers_do_no_harm)};

    for (unsigned i = 0; i < COUNT(deaths); i++)
        tests[i + 1] =
            (struct CMUnitTest){deaths[i].name, death_is_explained, NULL, NULL, (void *)&deaths[i]};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
