/* Reset as on a PC: 0xFE to the keyboard controller at port 0x64, or bit 2 of port 0xCF9. The machine is made
 * anew. */
#include "../feature.h"

static void keyboard_write(const struct access *a, uint64_t value)
{
    if (value == 0xFE) /* pulse the reset line; all other commands go to a keyboard that is not there */
        vm_stop(a->vm, STATUS_RESET);
}

static void reset_control_write(const struct access *a, uint64_t value)
{
    if (value & 4)
        vm_stop(a->vm, STATUS_RESET);
}

static int reset_attach(struct vm *vm)
{
    static const struct bus_ops keyboard = {.sizes = 1, .write = keyboard_write};
    static const struct bus_ops control = {.sizes = 1, .write = reset_control_write};

    return bus_claim(&vm->ports, 0x64, 1, "keyboard-reset", &keyboard, NULL)
               ?: bus_claim(&vm->ports, 0xCF9, 1, "reset-control", &control, NULL);
}

FEATURE(reset) = {
    .name = "reset",
    .lab = 6,
    .help = "a guest's reset makes the machine anew",
    .attach = reset_attach,
};
