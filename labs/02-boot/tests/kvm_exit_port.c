/* Lab 2: a guest ends with a status of its own. */
#include "guest.h"

static int status_of(const uint8_t *code, const uint8_t *end)
{
    struct vm *vm = vm_from_code(code, end);
    int status = run_vm(vm);

    free_vm(vm);
    return status;
}

GUEST(exit_byte, ".code16", "mov $3, %al; out %al, $0xf4; hlt");
GUEST(exit_word, ".code16", "mov $0x0155, %ax; out %ax, $0xf4; hlt");
GUEST(exit_long, ".code16", "mov $0xffffff00, %eax; out %eax, $0xf4; hlt");

static void port_f4_ends_with_the_status_written(void **state)
{
    (void)state;
    expect_number((uint64_t)status_of(exit_byte, exit_byte_end), 3,
                  "a byte written to 0xF4 is the exit status");
    expect_number((uint64_t)status_of(exit_word, exit_word_end), 0x55, "of a word, its low eight bits");
    expect_number((uint64_t)status_of(exit_long, exit_long_end), 0, "of four bytes, the low eight bits");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(port_f4_ends_with_the_status_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
