/* Port 0xE9: every byte that the guest writes appears on stdout. The oldest debugging aid there is. */
#include "../feature.h"

static void debug_port_write_string(struct vm *vm, void *dev, uint64_t offset, const void *data,
                                    unsigned size, unsigned count)
{
    (void)dev;
    (void)offset;
    vm_output(vm, data, (size_t)size * count);
}

static void debug_port_write(struct vm *vm, void *dev, uint64_t offset, uint64_t value, unsigned size)
{
    debug_port_write_string(vm, dev, offset, &value, size, 1);
}

/* Reading the port back gives its own number: that is how a guest finds out that somebody listens. */
static uint64_t debug_port_read(struct vm *vm, void *dev, uint64_t offset, unsigned size)
{
    (void)vm;
    (void)dev;
    (void)offset;
    (void)size;
    return 0xE9;
}

static int debug_port_attach(struct vm *vm)
{
    static const struct bus_ops ops = {1, debug_port_read, debug_port_write, debug_port_write_string};

    return bus_claim(&vm->ports, 0xE9, 1, "debug-port", &ops, NULL);
}

FEATURE(debug_port) = {
    .name = "debug-port",
    .lab = 1,
    .help = "write bytes to stdout through port 0xE9",
    .attach = debug_port_attach,
};
