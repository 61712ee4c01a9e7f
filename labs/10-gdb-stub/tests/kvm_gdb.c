/* Lab 10: what a debugger asks of the machine: pauses that a vCPU's own thread asks for, and vCPUs that are
 * held while others run. */
#include "guest.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_can_ask_for_a_pause),
        cmocka_unit_test(a_held_vcpu_rests_while_the_machine_runs),
        cmocka_unit_test(a_pause_before_the_start_holds_at_the_first_instruction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
