/* Lab 5: an interrupt line that a device raises reaches the guest's handler, and HLT waits for it. */
#include <unistd.h>
#include "guest.h"
#include "kernel_image.h"

/*
 * Protected mode: an IDT at 0x200000 whose entry 0x24 leads to `handler`; the 8259s remapped to vectors 0x20
 * and 0x28, only line 4 open. Tell port 0x55 that it is ready, and sleep; the handler reports 4 there.
 */
GUEST(irq_code, ".code32",
      "mov $0x300000, %esp; call 1f; 1: pop %ebp;"
      "lgdt gdtr - 1b(%ebp); ljmp *far - 1b(%ebp); 2:"
      "lea handler - 1b(%ebp), %eax; mov %ax, 0x200120; movw $8, 0x200122; movw $0x8e00, 0x200124;"
      "shr $16, %eax; mov %ax, 0x200126; lidt idtr - 1b(%ebp);"
      "mov $0x11, %al; out %al, $0x20; out %al, $0xa0; mov $0x20, %al; out %al, $0x21; mov $0x28, %al; out "
      "%al, $0xa1;"
      "mov $4, %al; out %al, $0x21; mov $2, %al; out %al, $0xa1; mov $1, %al; out %al, $0x21; out %al, $0xa1;"
      "mov $0xef, %al; out %al, $0x21; mov $0xff, %al; out %al, $0xa1;"
      "mov $1, %al; out %al, $0x55; sti; 3: hlt; jmp 3b;"
      "handler: mov $4, %al; out %al, $0x55; mov $0x20, %al; out %al, $0x20; iret;"
      ".balign 8; gdt: .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff;"
      "gdtr: .word 23; .long 0x100000 + gdt - irq_code; far: .long 0x100000 + 2b - irq_code; .word 8;"
      "idtr: .word 0x7ff; .long 0x200000;");

static volatile int ready;

static void report(const struct access *a, uint64_t value)
{
    if (value == 1)
        ready = 1;
    else
        vm_stop(a->vm, (int)value);
}

static struct vm *boot(void)
{
    static const struct bus_ops ops = {.sizes = 1, .write = report};
    const char *args[] = {"run", "--kernel", kernel_image(irq_code, irq_code_end)};
    struct vm *vm = vm_from_options(3, args);

    ready = 0;
    assert_int_equal(bus_claim(&vm->ports, 0x55, 1, "report", &ops, NULL), 0);
    return vm;
}

static void *raise_line(void *arg)
{
    struct vm *vm = arg;

    while (!ready)
        usleep(1000);
    pthread_mutex_lock(&vm->lock);
    irq_set_line(vm, 4, 1);
    irq_set_line(vm, 4, 0);
    pthread_mutex_unlock(&vm->lock);
    return NULL;
}

static void a_raised_line_wakes_hlt_and_runs_the_handler(void **state)
{
    (void)state;
    struct vm *vm = boot();
    pthread_t device;

    pthread_create(&device, NULL, raise_line, vm);
    expect_number((uint64_t)run_vm(vm), 4, "the handler of line 4 should have run and reported 4");
    pthread_join(device, NULL);
    free_vm(vm);
}

static void hlt_waits_in_the_kernel(void **state)
{
    (void)state;
    struct vm *vm = boot();
    pthread_t device;

    pthread_create(&device, NULL, raise_line, vm);
    run_vm(vm);
    pthread_join(device, NULL);
    expect_number(vm->vcpus[0]->exits[KVM_EXIT_HLT], 0,
                  "with KVM's interrupt controller, HLT is no exit to us");
    expect_number(vm->vcpus[0]->exits[KVM_EXIT_IO], 2, "the 8259s are KVM's: only port 0x55 exits, twice");
    free_vm(vm);
}

static void a_sleeping_guest_can_be_stopped(void **state)
{
    (void)state;
    struct vm *vm = boot();

    assert_int_equal(vm_start(vm), 0);
    while (!ready)
        usleep(1000);
    vm_stop(vm, 9);
    expect_number((uint64_t)vm_join(vm), 9, "vm_stop() must get a vCPU out of HLT");
    free_vm(vm);
}

GUEST(idle_code, ".code16", "hlt");

static void bare_guests_get_no_interrupt_controller(void **state)
{
    (void)state;
    struct vm *vm = vm_from_code(idle_code, idle_code_end);

    run_until_halt(vm);
    free_vm(vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_raised_line_wakes_hlt_and_runs_the_handler),
        cmocka_unit_test(hlt_waits_in_the_kernel),
        cmocka_unit_test(a_sleeping_guest_can_be_stopped),
        cmocka_unit_test(bare_guests_get_no_interrupt_controller),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
