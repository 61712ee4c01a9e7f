/* Lab 3: a guest that drives the 16550 through its ports. */
#include "guest.h"

GUEST(hello_code, ".code16",
      "mov $0x3fd, %dx; 1: in %dx, %al; test $0x20, %al; jz 1b; mov $0x3f8, %dx; mov $'S', %al; out %al, "
      "%dx; hlt");

static void a_polled_byte_appears(void **state)
{
    (void)state;
    struct vm *vm = vm_from_code(hello_code, hello_code_end);

    run_until_halt(vm);
    expect_text(guest_output(), "S",
                "LSR bit 5 says that the transmitter is free; a byte written to 0x3F8 is sent.");
    free_vm(vm);
}

GUEST(string_code, ".code16",
      "call 1f; .ascii \"one exit\"; 1: pop %si; mov $8, %cx; mov $0x3f8, %dx; cld; rep outsb; hlt");

static void rep_outsb_to_the_uart_is_a_string(void **state)
{
    (void)state;
    struct vm *vm = vm_from_code(string_code, string_code_end);

    run_until_halt(vm);
    expect_text(guest_output(), "one exit", "REP OUTSB sends all bytes to the same port.");
    free_vm(vm);
}

GUEST(loopback_code, ".code16",
      "mov $0x3fc, %dx; mov $0x10, %al; out %al, %dx; mov $0x3f8, %dx; mov $0xa5, %al; out %al, %dx;"
      "xor %al, %al; in %dx, %al; mov %ax, %bx; hlt");

static void loopback_returns_the_byte(void **state)
{
    (void)state;
    struct vm *vm = vm_from_code(loopback_code, loopback_code_end);

    run_until_halt(vm);
    expect_number(guest_regs(vm).rbx & 0xff, 0xa5, "with MCR bit 4 set, what is sent is received.");
    expect_text(guest_output(), "", "and does not leave the chip.");
    free_vm(vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_polled_byte_appears),
        cmocka_unit_test(rep_outsb_to_the_uart_is_a_string),
        cmocka_unit_test(loopback_returns_the_byte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
