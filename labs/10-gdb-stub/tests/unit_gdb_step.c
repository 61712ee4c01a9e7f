/* Lab 10: what single-stepping cannot do (SYSCALL, SYSRET), and INT3 where KVM does not report it. */
/* sources: hypervisor/inspect/gdb_packet.c hypervisor/inspect/gdb_step.c hypervisor/inspect/gdb_int3.c */
/* sources: hypervisor/inspect/gdb_memory.c hypervisor/inspect/gdb_break.c hypervisor/inspect/walk.c */
/* sources: hypervisor/inspect/gdb_registers.c hypervisor/inspect/gdb_watch.c tests/unit/gdb_host.c */
#include "expect.h"
#include "inspect/inspect.h"
#include "tests/unit/gdb_host.h"

#define HANDLER     (CODE_GVA + 0x800)
#define PORT        0xb5
#define USER_CS     0x2b
#define USER_SS     0x23
#define RFLAGS_IF   0x200u
#define RFLAGS_TF   0x100u
#define RFLAGS_USER 0x246u

struct gdb gdb;
static unsigned steps;

void single_step(struct vcpu *vcpu, bool on)
{
    (void)vcpu;
    steps += on;
}

static struct kvm_regs *regs;
static struct kvm_sregs *sregs;
static struct vcpu *vcpu;

static void put_gate(uint64_t gva, unsigned vector, unsigned type)
{
    uint64_t gate[2] = {
        (gva & 0xffff) | 8ul << 16 | (0x80ul | type) << 40 | (gva >> 16 & 0xffff) << 48,
        gva >> 32,
    };

    memcpy(host_code(IDT_GVA) + vector * 16, gate, sizeof gate);
}

/* The GDT has 1 kernel code, 2 kernel data, 4 user data, 5 user code. */
static int begin(void **state)
{
    static const uint64_t gdt[] = {0, 0x00af9b000000ffff, 0x00cf93000000ffff,
                                   0, 0x00cff3000000ffff, 0x00affb000000ffff};

    (void)state;
    host_begin();
    memcpy(host_code(GDT_GVA), gdt, sizeof gdt);
    put_gate(HANDLER, 3, 14);
    memcpy(host_code(HANDLER), "\x6a\x00\x6a\x03", 4); /* push 0; push 3 */
    regs = &host_registers[0].regs;
    sregs = &host_registers[0].sregs;
    vcpu = host_vm.vcpus[0];
    host_registers[0].msrs[1] = 0x1bul << 48 | 8ul << 32; /* STAR */
    host_registers[0].msrs[2] = CODE_GVA + 0x100;         /* LSTAR */
    host_registers[0].msrs[3] = RFLAGS_IF | RFLAGS_TF;    /* SFMASK */
    steps = 0;
    return 0;
}

static bool by_hand(void)
{
    struct cpu_state s = {*regs, *sregs};

    return step_by_hand(vcpu, &s);
}

static void enter_ring_3(void)
{
    sregs->cs.selector = USER_CS;
    sregs->cs.dpl = sregs->ss.dpl = 3;
    sregs->ss.selector = USER_SS;
}

static void syscall_enters_the_kernel(void **state)
{
    (void)state;
    enter_ring_3();
    memcpy(host_code(CODE_GVA), "\x0f\x05", 2);
    regs->rip = CODE_GVA;
    regs->rflags = RFLAGS_USER;
    regs->rsp = 0x1234;
    expect_true(by_hand(), "SYSCALL clears TF, so that no trap would come behind it");
    expect_number(regs->rip, CODE_GVA + 0x100, "RIP comes from LSTAR");
    expect_number(regs->rcx, CODE_GVA + 2, "RCX has the address of the next instruction");
    expect_number(regs->r11, RFLAGS_USER, "R11 has RFLAGS, without a trap flag of ours");
    expect_number(regs->rflags, RFLAGS_USER & ~RFLAGS_IF, "RFLAGS loses the bits of SFMASK");
    expect_number(regs->rsp, 0x1234, "RSP stays: the kernel has to load its own");
    expect_number(sregs->cs.selector, 8, "CS is bits 47:32 of STAR");
    expect_number(sregs->ss.selector, 0x10, "SS is the next one");
    expect_number(sregs->ss.dpl, 0, "KVM takes the CPL from here");
    expect_true(sregs->cs.l, "64-bit code");
}

static void sysret_goes_back(void **state)
{
    (void)state;
    memcpy(host_code(CODE_GVA), "\x48\x0f\x07", 3);
    regs->rip = CODE_GVA;
    regs->rflags = 2;
    regs->rcx = 0x401234;
    regs->r11 = RFLAGS_USER | 1ul << 17 | 1ul << 16; /* VM and RF are not loaded */
    expect_true(by_hand(), "SYSRET loads RFLAGS without our trap flag");
    expect_number(regs->rip, 0x401234, "RIP comes from RCX");
    expect_number(regs->rflags, RFLAGS_USER, "RFLAGS from R11, but RF and VM");
    expect_number(sregs->cs.selector, USER_CS, "CS is bits 63:48 of STAR plus 16, ring 3");
    expect_number(sregs->ss.selector, USER_SS, "SS is bits 63:48 plus 8");
    expect_number(sregs->cs.dpl, 3, "ring 3");
}

static void what_faults_is_left_to_the_cpu(void **state)
{
    (void)state;
    memcpy(host_code(CODE_GVA), "\x48\x0f\x07", 3);
    regs->rip = CODE_GVA;
    regs->rcx = 1ul << 47;
    expect_true(!by_hand(), "SYSRET to an address that is not canonical: #GP");
    regs->rcx = 0x401234;
    enter_ring_3();
    expect_true(!by_hand(), "SYSRET in ring 3: #GP");
    memcpy(host_code(CODE_GVA), "\x0f\x05", 2);
    sregs->efer &= ~1ul;
    expect_true(!by_hand(), "SYSCALL while EFER.SCE is off: #UD");
    expect_number(regs->rip, CODE_GVA, "nothing has changed");
    memcpy(host_code(CODE_GVA), "\x90\x90", 2);
    expect_true(!by_hand(), "NOP can be stepped");
}

static void pushed_flags_are_without_our_trap_flag(void **state)
{
    struct cpu_state s;
    uint64_t *pushed = (uint64_t *)host_code(STACK_GVA + 0x100);

    (void)state;
    *host_code(CODE_GVA) = 0x9c;
    regs->rip = CODE_GVA;
    expect_true(!by_hand(), "PUSHF is stepped by the CPU");
    regs->rip++;
    regs->rsp = STACK_GVA + 0x100;
    *pushed = RFLAGS_USER | RFLAGS_TF;
    s = (struct cpu_state){*regs, *sregs};
    step_clean_flags(vcpu, &s);
    expect_number(*pushed, RFLAGS_USER, "TF was ours: the guest's later POPF would load it");
}

/* ---- INT3 by the guest's handler ---- */

/* What the CPU does at an INT3 at `at` before the handler's first instruction, and the OUT there. */
static void deliver(uint64_t at, uint16_t cs, uint16_t ss)
{
    uint64_t frame[5] = {at + 1, cs, RFLAGS_USER, 0x7fff1000, ss};

    memcpy(host_code(STACK_GVA + 0x100), frame, sizeof frame);
    regs->rsp = STACK_GVA + 0x100;
    regs->rflags = 2;
    regs->rip = HANDLER + 2; /* behind our OUT */
    sregs->cs.selector = 8;
    sregs->cs.dpl = sregs->ss.dpl = 0;
    vcpu->run->exit_reason = KVM_EXIT_IO;
    vcpu->run->io.port = PORT;
    vcpu->run->io.direction = KVM_EXIT_IO_OUT;
    vcpu->run->io.size = 1;
}

static void set_breakpoint(void)
{
    assert_int_equal(point_set(POINT_SOFTWARE, CODE_GVA, 1), 0);
    break_plant(vcpu, sregs);
}

static void the_handler_exits_while_breakpoints_are_planted(void **state)
{
    (void)state;
    set_breakpoint();
    expect_bytes(host_code(HANDLER), "\xe6\xb5", 2, "OUT to a port of ours: it exits always");
    expect_true(!gdb.vcpus[0].creeping, "so nothing has to be stepped");
    break_take_out(&host_vm);
    expect_bytes(host_code(HANDLER), "\x6a\x00\x6a\x03", 4, "and the guest's own again");
}

static void without_a_handler_every_instruction_is_stepped(void **state)
{
    (void)state;
    put_gate(HANDLER, 3, 5); /* a task gate */
    set_breakpoint();
    expect_true(gdb.vcpus[0].creeping, "no interrupt or trap gate: INT3 would kill the guest");
    put_gate(ABSENT_GVA, 3, 14);
    break_plant(vcpu, sregs);
    expect_true(gdb.vcpus[0].creeping, "the handler is not mapped");
    put_gate(HANDLER, 3, 15);
    break_plant(vcpu, sregs);
    expect_true(!gdb.vcpus[0].creeping, "a trap gate will do");
}

static void the_handler_may_move(void **state)
{
    (void)state;
    set_breakpoint();
    put_gate(HANDLER + 0x100, 3, 14);
    break_plant(vcpu, sregs);
    expect_bytes(host_code(HANDLER), "\x6a\x00", 2, "the old one is the guest's own");
    expect_bytes(host_code(HANDLER + 0x100), "\xe6\xb5", 2, "the new one exits");
}

static void an_int3_of_ours_is_undone(void **state)
{
    bool ours = false;

    (void)state;
    set_breakpoint();
    deliver(CODE_GVA, USER_CS, USER_SS);
    expect_true(int3_arrived(vcpu, &ours), "this exit is our OUT");
    expect_true(ours, "and the INT3 is one that we have planted");
    expect_number(regs->rip, CODE_GVA, "RIP is at the breakpoint, not behind it");
    expect_number(regs->rsp, 0x7fff1000, "RSP is the program's");
    expect_number(regs->rflags, RFLAGS_USER, "and RFLAGS");
    expect_number(sregs->cs.selector, USER_CS, "CS was in the frame");
    expect_number(sregs->cs.dpl, 3, "its descriptor is in the GDT: ring 3,");
    expect_number(sregs->cs.l, 1, "64-bit,");
    expect_number(sregs->cs.limit, 0xffffffff, "flat");
    expect_number(sregs->ss.selector, USER_SS, "SS, too");
    expect_number(sregs->ss.dpl, 3, "KVM takes the CPL from here");
    expect_number(sregs->ss.type, 3, "data that can be written");
}

static void in_the_kernel_ss_may_be_null(void **state)
{
    bool ours = false;

    (void)state;
    set_breakpoint();
    deliver(CODE_GVA, 8, 0);
    expect_true(int3_arrived(vcpu, &ours) && ours, "the same from ring 0");
    expect_number(sregs->ss.unusable, 1, "the null selector is a good SS in ring 0");
    expect_number(sregs->ss.dpl, 0, "ring 0");
}

static void a_gdt_that_is_gone_does_no_harm(void **state)
{
    static const uint64_t places[] = {ABSENT_GVA, STACK_GVA + 0x2ff0, 1ul << 47, UINT64_MAX - 7};
    bool ours;

    (void)state;
    for (size_t i = 0; i < COUNT(places); i++) {
        begin(state);
        set_breakpoint();
        deliver(CODE_GVA, USER_CS, USER_SS);
        sregs->gdt.base = places[i];
        expect_true(int3_arrived(vcpu, &ours) && ours, "the breakpoint is reported all the same");
        expect_true(sregs->cs.present && sregs->cs.l && !sregs->cs.db && sregs->cs.s,
                    "CS is 64-bit code: KVM would refuse to run with a segment of zeros");
        expect_number(sregs->cs.selector, USER_CS, "its selector was on the stack");
        expect_true(sregs->ss.present && sregs->ss.type == 3, "SS is data that can be written");
        expect_number(sregs->ss.dpl, 3, "ring 3, as the selectors say");
    }
}

static void an_int3_of_the_guest_reaches_its_handler(void **state)
{
    bool ours = true;

    (void)state;
    set_breakpoint();
    deliver(CODE_GVA + 0x40, USER_CS, USER_SS);
    expect_true(int3_arrived(vcpu, &ours), "this exit is our OUT");
    expect_true(!ours, "but the INT3 is the guest's");
    expect_number(regs->rip, HANDLER, "the handler runs from its first instruction");
    expect_bytes(host_code(HANDLER), "\x6a\x00", 2, "which is the guest's own");
    expect_number(steps, 1, "it is stepped, and break_plant() puts ours back then");
    expect_number(regs->rsp, STACK_GVA + 0x100, "the frame stays");
}

/* ---- A breakpoint that waits for its page ---- */

#define FAULT_HANDLER (CODE_GVA + 0x900)
#define PAGE_ENTRY    ((uint64_t *)(host_ram + 0x4000) + 4) /* of the page behind those that are mapped */
#define LATE_GVA      (CODE_GVA + 0x4000)

static void set_late_breakpoint(void)
{
    put_gate(FAULT_HANDLER, 14, 14);
    memcpy(host_code(FAULT_HANDLER), "\x0f\x01\xca", 3); /* clac */
    assert_int_equal(point_set(POINT_SOFTWARE, LATE_GVA, 1), 0);
    break_plant(vcpu, sregs);
}

/* The program at `rip` needs a page: what the CPU has pushed, and our OUT. */
static uint64_t *deliver_fault(uint64_t rip, uint16_t cs)
{
    uint64_t *pushed = (uint64_t *)host_code(STACK_GVA + 0x100);

    deliver(rip - 1, cs, USER_SS);
    memmove(pushed + 1, pushed, 5 * sizeof *pushed);
    pushed[0] = 0x14; /* a fetch in ring 3 */
    regs->rip = FAULT_HANDLER + 2;
    return pushed;
}

static void a_breakpoint_may_wait_for_its_page(void **state)
{
    bool ours = true;

    (void)state;
    set_late_breakpoint();
    expect_bytes(host_code(FAULT_HANDLER), "\xe6\xb5", 2, "the guest's faults exit");
    expect_true(!gdb.vcpus[0].creeping, "nothing is stepped");
    uint64_t *pushed = deliver_fault(CODE_GVA + 0x20, USER_CS);
    expect_true(int3_arrived(vcpu, &ours) && !ours, "this is our OUT, and no breakpoint");
    expect_number(regs->rip, FAULT_HANDLER, "the guest's handler runs");
    expect_number(pushed[0], 0x14, "and finds what it would,");
    expect_number(pushed[3], RFLAGS_USER | RFLAGS_TF, "but the program will stop behind one instruction");
    expect_true(gdb.has_stepped, "a step that is ours, not the guest's");
    *PAGE_ENTRY = 0xb003; /* some page */
    break_plant(vcpu, sregs);
    expect_bytes(host_code(FAULT_HANDLER), "\x0f\x01", 2, "nothing is missing now");
    expect_number(host_ram[0xb000], 0xcc, "the breakpoint is planted");
    deliver(LATE_GVA, USER_CS, USER_SS);
    *(uint64_t *)host_code(STACK_GVA + 0x110) |= RFLAGS_TF;
    expect_true(int3_arrived(vcpu, &ours) && ours, "the program comes to it");
    expect_number(regs->rflags, RFLAGS_USER,
                  "without our trap flag: else it would die of it when gdb leaves");
}

static void a_program_may_come_to_it_first(void **state)
{
    bool ours;

    (void)state;
    set_late_breakpoint();
    deliver_fault(LATE_GVA, USER_CS);
    assert_true(int3_arrived(vcpu, &ours));
    break_plant(vcpu, sregs);
    expect_true(gdb.vcpus[0].creeping, "its first instruction is the breakpoint: behind it is too late");
    enter_ring_3();
    break_plant(vcpu, sregs);
    expect_true(!gdb.vcpus[0].creeping, "the program has got no page: another one runs");
    deliver_fault(LATE_GVA, USER_CS);
    assert_true(int3_arrived(vcpu, &ours));
    for (unsigned i = 0; i < 100000; i++)
        break_plant(vcpu, sregs);
    expect_true(!gdb.vcpus[0].creeping, "a page that comes from a disk is not waited for in steps");
    deliver_fault(LATE_GVA, USER_CS);
    assert_true(int3_arrived(vcpu, &ours));
    *PAGE_ENTRY = 0xb003;
    break_plant(vcpu, sregs);
    expect_true(!gdb.vcpus[0].creeping, "there it is");
}

static void a_fault_of_the_kernel_is_its_own(void **state)
{
    bool ours = true;

    (void)state;
    set_late_breakpoint();
    uint64_t *pushed = deliver_fault(CODE_GVA + 0x20, 8);
    break_take_out(&host_vm);
    expect_true(int3_arrived(vcpu, &ours) && !ours, "our OUT, although it is not there any more");
    expect_number(regs->rip, FAULT_HANDLER, "the guest's handler runs");
    expect_number(pushed[3], RFLAGS_USER, "programs get their pages by their own faults");
}

static void where_no_page_can_be_awaited(void **state)
{
    (void)state;
    expect_number((uint64_t)point_set(POINT_SOFTWARE, 0xffff800000000000, 1), (uint64_t)-EFAULT,
                  "the kernel's pages come without faults");
    expect_number(host_complaints, 1, "gdb says only that it cannot; the rest is said here");
    gdb.int3_exits = true;
    expect_number((uint64_t)point_set(POINT_SOFTWARE, LATE_GVA, 1), (uint64_t)-EFAULT,
                  "on a real KVM, debug registers can wait; here there are none");
}

/* ---- A stack for the frame ---- */

#define TSS         (GDT_GVA + 0x800)
#define SPARE_STACK (STACK_GVA + 0x400)

/* The guest has a TSS, and a machine check or a double fault has stack 3 of it. */
static void put_spare_stack(unsigned vector)
{
    uint64_t top = SPARE_STACK;

    sregs->tr.base = TSS;
    memcpy(host_code(TSS) + 36 + 2 * 8, &top, sizeof top); /* IST3 (Intel SDM 3A §7.7) */
    put_gate(HANDLER + 0x200, vector, 14);
    host_code(IDT_GVA)[vector * 16 + 4] = 3;
}

static uint8_t stack_of_int3(void)
{
    return host_code(IDT_GVA)[3 * 16 + 4];
}

static void the_frame_goes_to_a_stack_for_emergencies(void **state)
{
    static const unsigned vectors[] = {18, 8};

    for (size_t i = 0; i < COUNT(vectors); i++) {
        begin(state);
        put_spare_stack(vectors[i]);
        set_breakpoint();
        expect_number(stack_of_int3(), 3,
                      "behind SYSCALL, RSP is the program's, and nothing may be pushed there");
        break_plant(vcpu, sregs);
        expect_number(stack_of_int3(), 3, "that is so as long as the handler is ours");
        break_take_out(&host_vm);
        expect_number(stack_of_int3(), 0, "and then the gate is the guest's own again");
    }
}

static void a_stack_that_is_none_is_not_taken(void **state)
{
    begin(state);
    set_breakpoint();
    expect_number(stack_of_int3(), 0, "no gate names one");
    put_spare_stack(18);
    sregs->tr.base = ABSENT_GVA;
    break_plant(vcpu, sregs);
    expect_number(stack_of_int3(), 0, "the TSS is not mapped");
    sregs->tr.base = TSS + 8; /* whose IST3 is zero */
    break_plant(vcpu, sregs);
    expect_number(stack_of_int3(), 0, "the stack is not mapped");
    sregs->tr.base = TSS;
    host_code(IDT_GVA)[3 * 16 + 4] = 5;
    break_plant(vcpu, sregs);
    expect_number(stack_of_int3(), 5, "the guest has its own idea of where INT3 is pushed");
    break_take_out(&host_vm);
    expect_number(stack_of_int3(), 5, "which stays");
}

static void an_int3_of_the_guest_is_pushed_where_it_would_be(void **state)
{
    const uint64_t kernel_stack = STACK_GVA + 0x800, frame = SPARE_STACK - 40;
    bool ours = true;

    (void)state;
    put_spare_stack(18);
    memcpy(host_code(TSS) + 4, &kernel_stack, sizeof kernel_stack); /* RSP0 */
    set_breakpoint();
    deliver(CODE_GVA + 0x40, USER_CS, USER_SS);
    memcpy(host_code(frame), host_code(regs->rsp), 40);
    regs->rsp = frame;
    expect_true(int3_arrived(vcpu, &ours) && !ours, "the INT3 is the guest's");
    expect_number(regs->rsp, kernel_stack - 40, "from ring 3: the stack that the TSS has for ring 0");
    expect_bytes(host_code(kernel_stack - 40), host_code(frame), 40, "with all that the CPU has pushed");
    deliver(CODE_GVA + 0x40, 8, 0x10);
    *(uint64_t *)host_code(STACK_GVA + 0x100 + 24) = STACK_GVA + 0x707; /* RSP where the INT3 was */
    memcpy(host_code(frame), host_code(regs->rsp), 40);
    regs->rsp = frame;
    break_plant(vcpu, sregs);
    expect_true(int3_arrived(vcpu, &ours) && !ours, "the INT3 is the guest's");
    expect_number(regs->rsp, STACK_GVA + 0x700 - 40, "from ring 0: below that, on a multiple of 16");
}

static void the_tss_is_as_busy_as_an_emulated_cpu_wants_it(void **state)
{
    bool ours;

    (void)state;
    set_breakpoint();
    deliver(CODE_GVA, USER_CS, USER_SS);
    sregs->tr.type = 11;
    assert_true(int3_arrived(vcpu, &ours));
    expect_number(sregs->tr.type, 9, "QEMU checks a program's I/O ports only with a TSS of type 9");
}

static void other_exits_are_not_ours(void **state)
{
    bool ours = false;

    (void)state;
    deliver(CODE_GVA, 8, 0);
    expect_true(!int3_arrived(vcpu, &ours), "nothing is planted");
    set_breakpoint();
    vcpu->run->io.port = 0x3f8;
    expect_true(!int3_arrived(vcpu, &ours), "another port");
    vcpu->run->io.port = PORT;
    vcpu->run->io.direction = KVM_EXIT_IO_IN;
    expect_true(!int3_arrived(vcpu, &ours), "an IN");
    vcpu->run->io.direction = KVM_EXIT_IO_OUT;
    regs->rip = CODE_GVA + 0x50;
    expect_true(!int3_arrived(vcpu, &ours), "the guest's own OUT to this port");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(syscall_enters_the_kernel, begin),
        cmocka_unit_test_setup(sysret_goes_back, begin),
        cmocka_unit_test_setup(what_faults_is_left_to_the_cpu, begin),
        cmocka_unit_test_setup(pushed_flags_are_without_our_trap_flag, begin),
        cmocka_unit_test_setup(the_handler_exits_while_breakpoints_are_planted, begin),
        cmocka_unit_test_setup(without_a_handler_every_instruction_is_stepped, begin),
        cmocka_unit_test_setup(the_handler_may_move, begin),
        cmocka_unit_test_setup(an_int3_of_ours_is_undone, begin),
        cmocka_unit_test_setup(in_the_kernel_ss_may_be_null, begin),
        cmocka_unit_test_setup(a_gdt_that_is_gone_does_no_harm, begin),
        cmocka_unit_test_setup(an_int3_of_the_guest_reaches_its_handler, begin),
        cmocka_unit_test_setup(a_breakpoint_may_wait_for_its_page, begin),
        cmocka_unit_test_setup(a_program_may_come_to_it_first, begin),
        cmocka_unit_test_setup(a_fault_of_the_kernel_is_its_own, begin),
        cmocka_unit_test_setup(where_no_page_can_be_awaited, begin),
        cmocka_unit_test_setup(the_frame_goes_to_a_stack_for_emergencies, begin),
        cmocka_unit_test_setup(a_stack_that_is_none_is_not_taken, begin),
        cmocka_unit_test_setup(an_int3_of_the_guest_is_pushed_where_it_would_be, begin),
        cmocka_unit_test_setup(the_tss_is_as_busy_as_an_emulated_cpu_wants_it, begin),
        cmocka_unit_test_setup(other_exits_are_not_ours, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
