/* Lab 10: what a debugger makes of an exit: whose INT3 it was, where a step ends, and what the guest never
 * sees. */
/* sources: hypervisor/inspect/gdb_packet.c hypervisor/inspect/gdb_step.c hypervisor/inspect/gdb_int3.c */
/* sources: hypervisor/inspect/gdb_memory.c hypervisor/inspect/gdb_break.c hypervisor/inspect/walk.c */
/* sources: hypervisor/inspect/gdb_registers.c hypervisor/inspect/gdb_watch.c hypervisor/inspect/gdb_run.c */
/* sources: tests/unit/gdb_host.c */
#include "expect.h"
#include "tests/unit/gdb_host.h"

struct gdb gdb;

static unsigned pauses, wakes, handled;
static bool held[HOST_CPUS], runs;
static struct kvm_regs *regs;
static struct vcpu *vcpu;

/* ---- The machine around it ---- */

void vm_ask_pause(struct vm *vm)
{
    (void)vm;
    pauses++;
}

void vm_pause(struct vm *vm)
{
    (void)vm;
    runs = false;
}

void vm_resume(struct vm *vm)
{
    (void)vm;
    runs = true;
}

bool vm_stopping(struct vm *vm)
{
    (void)vm;
    return false;
}

void vcpu_hold(struct vcpu *vcpu, bool on)
{
    held[vcpu->id] = on;
}

bool vcpu_may_run(struct vcpu *vcpu)
{
    (void)vcpu;
    return true;
}

void server_wake(void)
{
    wakes++;
}

void single_step(struct vcpu *vcpu, bool on)
{
    (void)vcpu;
    host_debug.control = on ? KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP : 0;
}

static void handle_io(struct vcpu *vcpu)
{
    (void)vcpu;
    handled++;
}

static void handle_and_step(struct vcpu *vcpu)
{
    handled++;
    single_step(vcpu, true);
}

static int begin(void **state)
{
    (void)state;
    host_begin();
    gdb.int3_exits = true;
    host_vm.handlers[KVM_EXIT_IO] = handle_io;
    run_prepare(&host_vm);
    regs = &host_registers[0].regs;
    vcpu = host_vm.vcpus[0];
    regs->rip = CODE_GVA;
    memset(host_code(CODE_GVA), 0x90, 64);
    pauses = wakes = handled = 0;
    return 0;
}

static void resume(bool stepping, uint64_t start, uint64_t end)
{
    gdb.vcpus[1].held = true;
    gdb.vcpus[0].stepping = stepping;
    gdb.vcpus[0].start = start;
    gdb.vcpus[0].end = end;
    gdb.vcpus[0].stop = STOP_NONE;
    expect_true(run_resume() && runs, "the vCPUs run");
}

/* KVM_RUN has ended with a debug exit at `rip`. */
static void debug_exit_at(uint64_t rip, unsigned exception)
{
    regs->rip = rip;
    vcpu->run->exit_reason = KVM_EXIT_DEBUG;
    vcpu->run->debug.arch.exception = exception;
    vcpu->run->debug.arch.pc = rip;
    vcpu->run->debug.arch.dr6 = 0;
    host_vm.handlers[KVM_EXIT_DEBUG](vcpu);
}

static void expect_stop(enum gdb_stop stop, const char *lesson)
{
    static const char *const names[] = {"STOP_NONE", "STOP_STEP", "STOP_BREAK", "STOP_WATCH", "STOP_DIED"};

    expect_text(names[gdb.vcpus[0].stop], names[stop], lesson);
    expect_number(wakes, stop != STOP_NONE, "the debugger's thread is told of a stop, and of nothing else");
    expect_number(pauses, stop != STOP_NONE, "all vCPUs stand when one has stopped, and only then");
}

/* ---- Tests ---- */

static void an_int3_of_ours_is_a_stop(void **state)
{
    (void)state;
    point_set(POINT_SOFTWARE, CODE_GVA + 4, 1);
    resume(false, 0, 0);
    expect_number(*host_code(CODE_GVA + 4), 0xcc, "INT3 is planted while vCPUs run");
    debug_exit_at(CODE_GVA + 4, 3);
    expect_stop(STOP_BREAK, "the CPU came to a breakpoint: KVM reports where the INT3 is, not what follows");
    expect_true(run_stop() == vcpu, "this vCPU has something to tell");
    expect_number(*host_code(CODE_GVA + 4), 0x90, "and memory is the guest's own again");
}

static void an_int3_of_the_guest_is_given_back(void **state)
{
    (void)state;
    point_set(POINT_SOFTWARE, CODE_GVA + 4, 1);
    resume(false, 0, 0);
    debug_exit_at(CODE_GVA + 8, 3);
    expect_stop(STOP_NONE, "no breakpoint lies there: the guest executed an INT3 of its own");
    expect_true(host_debug.control & KVM_GUESTDBG_INJECT_BP, "KVM has to deliver it to the guest's handler");
}

static void a_step_ends_at_the_next_instruction(void **state)
{
    (void)state;
    resume(true, 0, 0);
    expect_true(host_debug.control & KVM_GUESTDBG_SINGLESTEP, "KVM is to report each instruction");
    debug_exit_at(CODE_GVA + 1, 1);
    expect_stop(STOP_STEP, "one instruction, wherever it leads");
}

static void a_range_is_stepped_until_rip_is_outside(void **state)
{
    (void)state;
    resume(true, CODE_GVA, CODE_GVA + 8);
    debug_exit_at(CODE_GVA + 1, 1);
    expect_stop(STOP_NONE, "still in the range: gdb hears nothing");
    debug_exit_at(CODE_GVA, 1);
    expect_stop(STOP_NONE, "a jump back to its beginning is in the range");
    debug_exit_at(CODE_GVA + 7, 1);
    expect_stop(STOP_NONE, "the last byte of the range");
    debug_exit_at(CODE_GVA + 8, 1);
    expect_stop(STOP_STEP, "the end is the first address outside");
}

static void a_call_leaves_the_range_downwards(void **state)
{
    (void)state;
    resume(true, CODE_GVA + 16, CODE_GVA + 24);
    debug_exit_at(CODE_GVA + 2, 1);
    expect_stop(STOP_STEP, "below the range is outside, too");
}

static void a_breakpoint_in_a_range_ends_the_step(void **state)
{
    (void)state;
    point_set(POINT_SOFTWARE, CODE_GVA + 2, 1);
    resume(true, CODE_GVA, CODE_GVA + 8);
    debug_exit_at(CODE_GVA + 2, 1);
    expect_stop(STOP_BREAK, "it is a breakpoint that gdb is told of, although RIP is within the range");
}

static void a_step_does_not_stop_where_it_begins(void **state)
{
    (void)state;
    point_set(POINT_SOFTWARE, CODE_GVA, 1);
    resume(true, 0, 0);
    expect_stop(STOP_NONE, "the vCPU stands at a breakpoint and has to get away from it");
    debug_exit_at(CODE_GVA + 1, 1);
    expect_stop(STOP_STEP, "one instruction further");
}

static void a_changed_variable_ends_a_step(void **state)
{
    (void)state;
    point_set(POINT_WRITE, STACK_GVA + 8, 8);
    resume(false, 0, 0);
    debug_exit_at(CODE_GVA + 1, 1);
    expect_stop(STOP_NONE, "it is stepped, because no debug register watches; nothing has changed");
    *host_code(STACK_GVA + 8) = 1;
    debug_exit_at(CODE_GVA + 2, 1);
    expect_stop(STOP_WATCH, "the variable has another value");
    expect_number(gdb.vcpus[0].address, STACK_GVA + 8, "and gdb is told which");
}

static void a_debug_register_names_its_point(void **state)
{
    (void)state;
    gdb.debug_registers_work = true;
    point_set(POINT_HARDWARE, CODE_GVA, 1);
    point_set(POINT_WRITE, STACK_GVA, 4);
    resume(false, 0, 0);
    expect_number(host_debug.arch.debugreg[1], STACK_GVA, "KVM has the debug registers");
    regs->rip = CODE_GVA + 9;
    vcpu->run->exit_reason = KVM_EXIT_DEBUG;
    vcpu->run->debug.arch.exception = 1;
    vcpu->run->debug.arch.dr6 = 1 << 3 | 1 << 1;
    host_vm.handlers[KVM_EXIT_DEBUG](vcpu);
    expect_stop(STOP_WATCH, "bit 1 of DR6 is ours; bit 3 is of a register that is not in use");
    expect_number(gdb.vcpus[0].address, STACK_GVA, "what it watches");
}

static void other_exits_reach_their_handlers(void **state)
{
    (void)state;
    resume(true, 0, 0);
    vcpu->run->exit_reason = KVM_EXIT_IO;
    host_vm.handlers[KVM_EXIT_IO](vcpu);
    expect_number(handled, 1, "an I/O exit in the middle of a step is still an I/O exit");
    gdb.attached = false;
    host_vm.handlers[KVM_EXIT_IO](vcpu);
    expect_number(handled, 2, "and without a debugger nobody else looks");
}

static void a_step_waits_for_the_page_that_it_needs(void **state)
{
    (void)state;
    resume(true, 0, 0);
    expect_true(host_debug.control & KVM_GUESTDBG_SINGLESTEP, "a step");
    gdb.vcpus[0].away = true; /* the guest's #PF handler has exited */
    vcpu->run->exit_reason = KVM_EXIT_IO;
    host_vm.handlers[KVM_EXIT_IO](vcpu);
    expect_true(!(host_debug.control & KVM_GUESTDBG_SINGLESTEP), "what is stepped is not the handler");
    debug_exit_at(CODE_GVA + 1, 1);
    expect_stop(STOP_STEP, "the program goes on with the trap flag that it had");
}

static void what_others_want_to_step_runs_freely(void **state)
{
    begin(state);
    host_vm.handlers[KVM_EXIT_IO] = host_vm.handlers[KVM_EXIT_DEBUG] = handle_and_step;
    run_prepare(&host_vm);
    resume(false, 0, 0);
    vcpu->run->exit_reason = KVM_EXIT_IO;
    host_vm.handlers[KVM_EXIT_IO](vcpu);
    expect_number(handled, 1, "the exit is handled as ever");
    expect_true(!(host_debug.control & KVM_GUESTDBG_SINGLESTEP),
                "gdb has said \"continue\": a step would be an event that nobody has asked for");
    debug_exit_at(CODE_GVA + 1, 1);
    expect_stop(STOP_NONE, "one that was under way ends silently");
    expect_true(!(host_debug.control & KVM_GUESTDBG_INJECT_DB), "and is not given to the guest");
    gdb.attached = false;
    host_vm.handlers[KVM_EXIT_IO](vcpu);
    expect_true(host_debug.control & KVM_GUESTDBG_SINGLESTEP, "without gdb, they may");
}

static void a_detached_guest_is_as_before(void **state)
{
    (void)state;
    point_set(POINT_SOFTWARE, CODE_GVA + 4, 1);
    resume(false, 0, 0);
    run_detach();
    expect_number(*host_code(CODE_GVA + 4), 0x90, "no INT3 is left behind: it would kill the guest");
    expect_number(host_debug.control, 0, "KVM reports nothing any more");
    expect_true(runs && !held[0] && !held[1] && !gdb.attached, "all run on");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_int3_of_ours_is_a_stop, begin),
        cmocka_unit_test_setup(an_int3_of_the_guest_is_given_back, begin),
        cmocka_unit_test_setup(a_step_ends_at_the_next_instruction, begin),
        cmocka_unit_test_setup(a_range_is_stepped_until_rip_is_outside, begin),
        cmocka_unit_test_setup(a_call_leaves_the_range_downwards, begin),
        cmocka_unit_test_setup(a_breakpoint_in_a_range_ends_the_step, begin),
        cmocka_unit_test_setup(a_step_does_not_stop_where_it_begins, begin),
        cmocka_unit_test_setup(a_changed_variable_ends_a_step, begin),
        cmocka_unit_test_setup(a_debug_register_names_its_point, begin),
        cmocka_unit_test_setup(other_exits_reach_their_handlers, begin),
        cmocka_unit_test_setup(a_step_waits_for_the_page_that_it_needs, begin),
        cmocka_unit_test_setup(what_others_want_to_step_runs_freely, begin),
        cmocka_unit_test_setup(a_detached_guest_is_as_before, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
