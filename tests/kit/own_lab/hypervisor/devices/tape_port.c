/* Port 0x5A is a tape: OUT writes a byte, IN reads one (0xFF where there is none), OUT to port 0x5B moves the
 * head. */
#include "../feature.h"
#include "tape.h"

#define PORT 0x5A
enum { DATA, SEEK, PORTS };

static struct tape tape;

static uint64_t tape_port_read(const struct access *a)
{
    int byte = a->offset == DATA ? tape_read(&tape) : -1;

    return byte < 0 ? 0xFF : (uint64_t)byte;
}

static void tape_port_write(const struct access *a, uint64_t value)
{
    if (a->offset == SEEK)
        tape_seek(&tape, (unsigned)value);
    else
        tape_write(&tape, (uint8_t)value);
}

static int tape_port_attach(struct vm *vm)
{
    static const struct bus_ops ops = {.sizes = 1, .read = tape_port_read, .write = tape_port_write};

    return bus_claim(&vm->ports, PORT, PORTS, "tape", &ops, NULL);
}

FEATURE(tape_port) = {
    .name = "tape",
    .lab = 40,
    .help = "a tape of 16 bytes at port 0x5A",
    .attach = tape_port_attach,
};
