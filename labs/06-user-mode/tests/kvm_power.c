/* Lab 6: how a guest starts again, and what it is given: an initrd, a results port. */
#include <unistd.h>
#include "boot/kernel.h"
#include "guest.h"
#include "kernel_image.h"

static bool resets(const uint8_t *code, const uint8_t *end)
{
    struct vm *vm = vm_from_code(code, end);
    int status = run_vm(vm);

    free_vm(vm);
    return status == STATUS_RESET;
}

GUEST(reset_keyboard, ".code16", "mov $0xfe, %al; out %al, $0x64; hlt");
GUEST(reset_control, ".code16", "mov $0xcf9, %dx; mov $6, %al; out %al, %dx; hlt");
GUEST(reset_hard, ".code16", "mov $0xcf9, %dx; mov $0xe, %al; out %al, %dx; hlt");
GUEST(no_reset, ".code16",
      "mov $0xcf9, %dx; mov $2, %al; out %al, %dx; mov $0xd1, %al; out %al, $0x64; in $0x64, %al; hlt");

static void reset_asks_for_a_new_machine(void **state)
{
    (void)state;
    assert_true(resets(reset_keyboard, reset_keyboard_end));
    assert_true(resets(reset_control, reset_control_end));
    assert_true(resets(reset_hard, reset_hard_end));
    assert_false(resets(no_reset, no_reset_end));
}

GUEST(results_code, ".code16",
      "in $0xe8, %al; mov %al, %bl; mov $'o', %al; out %al, $0xe8; mov $'k', %al; out %al, $0xe8; hlt");

static void without_results_the_port_is_not_there(void **state)
{
    (void)state;
    struct vm *vm = vm_from_code(results_code, results_code_end);

    run_until_halt(vm);
    expect_number(guest_regs(vm).rbx & 0xff, 0xff, "nobody claims port 0xE8 unless --results is given");
    free_vm(vm);
}

static void results_are_appended_to_the_file(void **state)
{
    (void)state;
    char path[] = "/tmp/results-XXXXXX", text[16] = "";
    int fd = mkstemp(path);
    const char *args[] = {"run", "--results", path, "--flat",
                          file_of(results_code, (size_t)(results_code_end - results_code))};

    assert_int_equal(write(fd, "so far ", 7), 7);
    struct vm *vm = vm_from_options(5, args);
    run_until_halt(vm);
    expect_number(guest_regs(vm).rbx & 0xff, 0xe9, "with --results port 0xE8 reads as 0xE9");
    free_vm(vm);
    assert_true(pread(fd, text, sizeof text - 1, 0) > 0);
    expect_text(text, "so far ok", "the bytes follow what was in the file");
    close(fd);
    unlink(path);
}

GUEST(kernel_code, ".code32", "mov $1, %al; out %al, $0xf4; 1: hlt; jmp 1b");

static void the_initrd_is_the_first_module(void **state)
{
    (void)state;
    static uint8_t initrd[10000];

    memset(initrd, 0x77, sizeof initrd);
    const char *args[] = {"run", "--kernel", kernel_image(kernel_code, kernel_code_end), "--initrd",
                          file_of(initrd, sizeof initrd)};
    struct vm *vm = vm_from_options(5, args);
    const struct pvh_boot_data *boot = guest_ptr(vm, PVH_BOOT_DATA, sizeof *boot);
    expect_number(boot->info.nr_modules, 1, "start_info counts the modules");
    const struct pvh_module *module = guest_ptr(vm, boot->info.modlist_paddr, sizeof *module);
    expect_number(module->size, sizeof initrd, "the module's size is the file's, in bytes");
    expect_number(module->paddr % 4096, 0, "the module starts at a page");
    assert_memory_equal(guest_ptr(vm, module->paddr, module->size), initrd, sizeof initrd);
    expect_number((uint64_t)run_vm(vm), 1, "and the kernel runs");
    free_vm(vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reset_asks_for_a_new_machine),
        cmocka_unit_test(without_results_the_port_is_not_there),
        cmocka_unit_test(results_are_appended_to_the_file),
        cmocka_unit_test(the_initrd_is_the_first_module),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
