/* Lab 10: what a debugger asks of the machine: pauses that a vCPU's own thread asks for, vCPUs that are held
 * while others run, registers and breakpoints as KVM has them. */
#include <sched.h>
#include "guest.h"
#include "inspect/gdb.h"

GUEST(asking_code, ".code16", "out %al, $0x55; incl 0x600; hlt");
GUEST(loop_code, ".code16", "1: incl 0x600; jmp 1b");

static void asking_write(const struct access *a, uint64_t value)
{
    (void)value;
    vm_ask_pause(a->vm);
}

static void a_device_can_ask_for_a_pause(void **state)
{
    (void)state;
    struct vm *vm = vm_from_code(asking_code, asking_code_end);
    static const struct bus_ops ops = {.sizes = 1, .write = asking_write};
    uint32_t *counter = guest_ptr(vm, 0x600, 4);

    assert_int_equal(bus_claim(&vm->ports, 0x55, 1, "asker", &ops, NULL), 0);
    assert_int_equal(vm_start(vm), 0);
    vm_wait_paused(vm);
    struct kvm_regs regs = guest_regs(vm);
    expect_number(regs.rip, 0x7c02, "the OUT is complete, and the next instruction has not run");
    expect_number(*counter, 0, "a paused guest must stand still");
    vm_resume(vm);
    expect_number((uint64_t)vm_join(vm), 0, "it goes on to its HLT");
    expect_number(*counter, 1, "and has done what came before");
    free_vm(vm);
}

static void a_held_vcpu_rests_while_the_machine_runs(void **state)
{
    (void)state;
    struct vm *vm = vm_from_code(loop_code, loop_code_end);
    volatile uint32_t *counter = guest_ptr(vm, 0x600, 4);

    assert_int_equal(vm_start(vm), 0);
    while (*counter < 1000)
        ;
    vm_pause(vm);
    vcpu_hold(vm->vcpus[0], true);
    uint32_t held_at = *counter;
    vm_resume(vm);
    for (int i = 0; i < 1000000; i++)
        expect_number(*counter, held_at, "a held vCPU must not run, although the machine does");
    vm_pause(vm);
    vcpu_hold(vm->vcpus[0], false);
    vm_resume(vm);
    while (*counter == held_at)
        ;
    vm_pause(vm);
    vcpu_hold(vm->vcpus[0], true);
    vm_resume(vm);
    vm_stop(vm, 42);
    expect_number((uint64_t)vm_join(vm), 42, "a machine can be stopped while a vCPU is held");
    free_vm(vm);
}

static void a_pause_before_the_start_holds_at_the_first_instruction(void **state)
{
    (void)state;
    struct vm *vm = vm_from_code(loop_code, loop_code_end);
    uint32_t *counter = guest_ptr(vm, 0x600, 4);

    vm_pause(vm); /* returns: nothing runs */
    assert_int_equal(vm_start(vm), 0);
    vm_wait_paused(vm);
    expect_number(guest_regs(vm).rip, 0x7c00, "no instruction has run");
    expect_number(*counter, 0, "none at all");
    vm_stop(vm, 0);
    vm_join(vm);
    free_vm(vm);
}

/* ---- Packets, and a real vCPU ---- */

GUEST(counting_code, ".code16", "incl 0x600; incl 0x600; incl 0x600; mov %eax, 0x604; hlt");

#define INCL_SIZE 5

/* Each of two vCPUs counts for itself. */
GUEST(two_code, ".code16", "test %bx, %bx; jnz 2f; 1: incl 0x600; jmp 1b; 2: incl 0x604; jmp 2b");

#define SECOND_LOOP 0x7c0b

/* The guest stands at its first instruction, and gdb is connected. */
static struct vm *debug(struct vm *vm)
{
    gdb = (struct gdb){.vm = vm, .vcpu = vm->vcpus[0], .attached = true};
    gdb_probe(vm);
    run_prepare(vm);
    vm_ask_pause(vm);
    assert_int_equal(vm_start(vm), 0);
    vm_wait_paused(vm);
    return vm;
}

static bool any_vcpu_stops(const struct vm *vm)
{
    for (unsigned i = 0; i < vm->cpus; i++)
        if (__atomic_load_n(&gdb.vcpus[i].stop, __ATOMIC_SEQ_CST) != STOP_NONE)
            return true;
    return false;
}

/* The answer to a packet; if it comes later, then the guest has run, and stands again. */
static const char *ask(const char *packet)
{
    static struct packet_reader reader;
    static struct reply reply;

    reader.size = strlen(packet);
    strcpy(reader.data, packet);
    if (!gdb_command(&reader, &reply)) {
        while (!any_vcpu_stops(gdb.vm) && !vm_stopping(gdb.vm))
            sched_yield();
        struct vcpu *vcpu = run_stop();
        gdb.running = false;
        reply.size = 0;
        reply_stop(&reply, vcpu ?: gdb.vcpu);
    }
    reader.data[0] = 0;
    reply.data[reply.size] = 0;
    return reply.data;
}

static void end_debugged(struct vm *vm)
{
    run_detach();
    expect_number((uint64_t)vm_join(vm), 0, "without the debugger the guest goes on to its HLT");
    free_vm(vm);
}

static void a_register_that_gdb_sets_is_the_guests(void **state)
{
    (void)state;
    struct vm *vm = debug(vm_from_code(counting_code, counting_code_end));

    expect_text(ask("P0=4433221100000000"), "OK", "RAX is register 0");
    expect_text(ask("p0"), "4433221100000000", "KVM has it now");
    expect_text(ask("p10"), "007c000000000000", "register 0x10 is RIP: the first instruction");
    run_detach();
    vm_join(vm);
    expect_number(*(uint32_t *)guest_ptr(vm, 0x604, 4), 0x11223344, "the guest ran with it");
    free_vm(vm);
}

static void a_breakpoint_stops_a_real_guest(void **state)
{
    (void)state;
    struct vm *vm = debug(vm_from_code(counting_code, counting_code_end));
    uint32_t *counter = guest_ptr(vm, 0x600, 4);

    expect_text(ask("Z0,7c0a,1"), "OK", "at the third instruction");
    expect_contains(ask("vCont;c"), "T05thread:1;", "signal 5, SIGTRAP, by vCPU 0");
    expect_number(guest_regs(vm).rip, 0x7c00 + 2 * INCL_SIZE, "RIP is at the breakpoint, not behind it");
    expect_number(*counter, 2, "what comes before has run, and nothing else");
    expect_text(ask("m7c0a,2"), "66ff", "memory shows the guest's own code");
    end_debugged(vm);
}

static void a_real_guest_is_stepped(void **state)
{
    (void)state;
    struct vm *vm = debug(vm_from_code(counting_code, counting_code_end));
    uint32_t *counter = guest_ptr(vm, 0x600, 4);

    ask("vCont;s:1");
    expect_number(guest_regs(vm).rip, 0x7c00 + INCL_SIZE, "one instruction");
    expect_number(*counter, 1, "which has run once");
    ask("vCont;r7c05,7c0f:1");
    expect_number(guest_regs(vm).rip, 0x7c00 + 3 * INCL_SIZE, "through a range of two, without a word");
    expect_number(*counter, 3, "each has run once");
    end_debugged(vm);
}

static void a_breakpoint_that_one_of_two_vcpus_meets(void **state)
{
    (void)state;
    struct vm *vm = debug(vm_with_vcpus(2, two_code, two_code_end));
    volatile uint32_t *counters = guest_ptr(vm, 0x600, 8);
    struct kvm_regs regs;

    expect_text(ask("Z0,7c10,1"), "OK", "in the second's loop, behind its INCL");
    for (uint32_t round = 1; round <= 3; round++) {
        expect_contains(ask("vCont;c"), "T05thread:2;", "vCPU 1 is thread 2");
        expect_number(counters[1], round, "it has counted once more");
        uint32_t first = counters[0];
        for (int i = 0; i < 1000; i++)
            expect_number(counters[0], first, "all-stop: the other stands, too");
        assert_int_equal(ioctl(vm->vcpus[1]->fd, KVM_GET_REGS, &regs), 0);
        expect_number(regs.rip, SECOND_LOOP + INCL_SIZE, "RIP is at the breakpoint");
        ask("z0,7c10,1");
        expect_contains(ask("vCont;s:2"), "T05thread:2;", "gdb steps over its breakpoint");
        assert_int_equal(ioctl(vm->vcpus[1]->fd, KVM_GET_REGS, &regs), 0);
        expect_number(regs.rip, SECOND_LOOP, "the JMP has run");
        expect_number(counters[0], first, "only the thread that vCont names runs");
        ask("Z0,7c10,1");
    }
    vm_stop(vm, 0);
    run_detach();
    vm_join(vm);
    free_vm(vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_register_that_gdb_sets_is_the_guests),
        cmocka_unit_test(a_breakpoint_stops_a_real_guest),
        cmocka_unit_test(a_real_guest_is_stepped),
        cmocka_unit_test(a_breakpoint_that_one_of_two_vcpus_meets),
        cmocka_unit_test(a_device_can_ask_for_a_pause),
        cmocka_unit_test(a_held_vcpu_rests_while_the_machine_runs),
        cmocka_unit_test(a_pause_before_the_start_holds_at_the_first_instruction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
