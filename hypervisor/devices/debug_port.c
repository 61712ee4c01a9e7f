/* Port 0xE9: every byte that the guest writes appears on stdout. The oldest debugging aid there is. */
#include "../feature.h"

static void debug_port_write(const struct access *a)
{
    vm_output(a->vm, a->data, a->count);
}

/* Reading the port back gives its own number: that is how a guest finds out that somebody listens. */
static uint64_t debug_port_read(const struct access *a)
{
    (void)a;
    return 0xE9;
}

static int debug_port_attach(struct vm *vm)
{
    static const struct bus_ops ops = {.sizes = 1, .read = debug_port_read, .write_string = debug_port_write};

    return bus_claim(&vm->ports, 0xE9, 1, "debug-port", &ops, NULL);
}

FEATURE(debug_port) = {
    .name = "debug-port",
    .lab = 1,
    .help = "write bytes to stdout through port 0xE9",
    .attach = debug_port_attach,
};
