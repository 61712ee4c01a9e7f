/* Port 0xF4: the guest powers off with a status. QEMU has the same as isa-debug-exit, which exits with status
 * * 2 + 1. */
#include "../feature.h"

static void exit_port_write(const struct access *a, uint64_t value)
{
    vm_stop(a->vm, (int)(value & 0xFF)); /* a process can tell no more than 8 bits */
}

static int exit_port_attach(struct vm *vm)
{
    static const struct bus_ops ops = {.sizes = 1 | 2 | 4, .write = exit_port_write};

    return bus_claim(&vm->ports, 0xF4, 4, "exit-port", &ops, NULL);
}

FEATURE(exit_port) = {
    .name = "exit-port",
    .lab = 2,
    .help = "a write to port 0xF4 powers off with that status",
    .attach = exit_port_attach,
};
