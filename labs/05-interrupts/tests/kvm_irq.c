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

static struct vm *boot_from(const uint8_t *code, const uint8_t *end)
{
    static const struct bus_ops ops = {.sizes = 1, .write = report};
    const char *args[] = {"run", "--kernel", kernel_image(code, end)};
    struct vm *vm = vm_from_options(3, args);

    ready = 0;
    assert_int_equal(bus_claim(&vm->ports, 0x55, 1, "report", &ops, NULL), 0);
    return vm;
}

static struct vm *boot(void)
{
    return boot_from(irq_code, irq_code_end);
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

/* The 8254 counts to 11,932 (a hundredth of a second) again and again; the third interrupt of line 0
 * reports 3. */
GUEST(
    pit_code, ".code32",
    "mov $0x300000, %esp; call 1f; 1: pop %ebp;"
    "lgdt 2f - 1b(%ebp); ljmp *3f - 1b(%ebp); 4:"
    "lea 5f - 1b(%ebp), %eax; mov %ax, 0x200100; movw $8, 0x200102; movw $0x8e00, 0x200104;"
    "shr $16, %eax; mov %ax, 0x200106; lidt 6f - 1b(%ebp);"
    "mov $0x11, %al; out %al, $0x20; mov $0x20, %al; out %al, $0x21; mov $4, %al; out %al, $0x21;"
    "mov $1, %al; out %al, $0x21; mov $0xfe, %al; out %al, $0x21;"
    "mov $0x34, %al; out %al, $0x43; mov $0x9c, %al; out %al, $0x40; mov $0x2e, %al; out %al, $0x40;"
    "xor %ebx, %ebx; sti; 7: hlt; jmp 7b;"
    "5: inc %ebx; mov $0x20, %al; out %al, $0x20; cmp $3, %ebx; jne 8f; mov $3, %al; out %al, $0x55; 8: iret;"
    ".balign 8; 9: .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff;"
    "2: .word 23; .long 0x100000 + 9b - pit_code; 3: .long 0x100000 + 4b - pit_code; .word 8;"
    "6: .word 0x7ff; .long 0x200000;");

static void the_timer_interrupts_again_and_again(void **state)
{
    (void)state;
    struct vm *vm = boot_from(pit_code, pit_code_end);

    expect_number(
        (uint64_t)run_vm(vm), 3,
        "KVM_CREATE_PIT2 makes an 8254 whose channel 0 raises line 0: three times, and the guest reports 3");
    expect_number(vm->vcpus[0]->exits[KVM_EXIT_IO], 1,
                  "its ports 0x40 to 0x43 are KVM's: only the report exits");
    free_vm(vm);
}

GUEST(gate_code, ".code32",
      "in $0x61, %al; or $3, %al; out %al, $0x61; in $0x61, %al; mov $7, %al; out %al, $0x55; hlt");

static void the_timers_gate_is_the_kernels(void **state)
{
    (void)state;
    struct vm *vm = boot_from(gate_code, gate_code_end);

    expect_number((uint64_t)run_vm(vm), 7, "the guest should have reported 7");
    expect_number(vm->vcpus[0]->exits[KVM_EXIT_IO], 1,
                  "port 0x61 has the gate of the 8254's channel 2, by which guests measure time: with "
                  "KVM_PIT_SPEAKER_DUMMY it "
                  "is KVM's, and exits no more");
    free_vm(vm);
}

/* The inputs of the I/O APIC that are high. */
static uint32_t lines(struct vm *vm)
{
    struct kvm_irqchip chip = {.chip_id = KVM_IRQCHIP_IOAPIC};

    expect_number((uint64_t)ioctl(vm->fd, KVM_GET_IRQCHIP, &chip), 0,
                  "there should be an I/O APIC in the kernel (KVM_CREATE_IRQCHIP)");
    return chip.chip.ioapic.irr;
}

static void set_line(struct vm *vm, unsigned line, int level)
{
    pthread_mutex_lock(&vm->lock);
    irq_set_line(vm, line, level);
    pthread_mutex_unlock(&vm->lock);
}

static void a_line_stays_as_it_was_set(void **state)
{
    (void)state;
    struct vm *vm = boot();
    uint32_t before = lines(vm);

    set_line(vm, 4, 1);
    expect_number(lines(vm), before | 1u << 4, "a line is a level: high until it is set low");
    set_line(vm, 23, 1);
    expect_number(lines(vm), before | 1u << 4 | 1u << 23,
                  "lines 0 to 23 are the inputs of the I/O APIC, each for itself");
    set_line(vm, 4, 0);
    expect_number(lines(vm), before | 1u << 23,
                  "low again. A line that stays high makes no second edge: the device would interrupt once, "
                  "and never again");
    set_line(vm, 23, 0);
    expect_number(lines(vm), before, "and the other one");
    free_vm(vm);
}

static void what_kvm_refuses_is_told(void **state)
{
    (void)state;
    struct vm *vm = boot();
    const struct feature *irqchip = features;

    while (irqchip && strcmp(irqchip->name, "irqchip") != 0)
        irqchip = irqchip->next;
    expect_true(irqchip, "the feature is called irqchip");
    begin_stderr();
    int err = irqchip->attach(vm);
    const char *said = end_stderr();
    expect_true(err < 0, "KVM gives a VM one set of interrupt controllers; asked for a second, it fails, and "
                         "so must attach()");
    expect_contains(said, "cannot create its interrupt controllers",
                    "kvm_ioctl() says what KVM could not do");
    free_vm(vm);
}

GUEST(idle_code, ".code16", "hlt");

static void only_bare_guests_have_no_controller(void **state)
{
    (void)state;
    struct vm *vm = boot();

    expect_true(vm->irqchip,
                "a machine with a platform says that it has a controller: more than one CPU needs it");
    expect_true(vm->irq_sink, "and tells irq_set_line() where a level goes");
    free_vm(vm);
    vm = vm_from_code(idle_code, idle_code_end);
    expect_true(!vm->irqchip, "bare bytes get no platform (vm->bare): there HLT ends the guest");
    run_until_halt(vm);
    free_vm(vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_raised_line_wakes_hlt_and_runs_the_handler),
        cmocka_unit_test(hlt_waits_in_the_kernel),
        cmocka_unit_test(a_sleeping_guest_can_be_stopped),
        cmocka_unit_test(the_timer_interrupts_again_and_again),
        cmocka_unit_test(the_timers_gate_is_the_kernels),
        cmocka_unit_test(a_line_stays_as_it_was_set),
        cmocka_unit_test(what_kvm_refuses_is_told),
        cmocka_unit_test(only_bare_guests_have_no_controller),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
