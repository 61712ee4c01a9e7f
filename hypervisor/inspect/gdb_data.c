/* gdb's commands that read and write registers and memory. */
#include "gdb.h"

#define VALUE_MAX 16 /* bytes of a register */

/* ---- Memory ---- */

/* Copy from or to memory as the current vCPU sees it, or by physical address. Returns how many bytes. */
static size_t copy(uint64_t addr, void *bytes, size_t size, bool is_write)
{
    struct kvm_sregs sregs;

    if (ioctl(gdb.vcpu->fd, KVM_GET_SREGS, &sregs) < 0)
        return 0;
    return gdb_memory(gdb.vm, gdb.physical ? NULL : &sregs, addr, bytes, size, is_write);
}

/* "addr,length" */
static bool take_range(const char **text, uint64_t *addr, uint64_t *size)
{
    return take_number(text, addr) && take_word(text, ",") && take_number(text, size);
}

/* A part is an answer, too; nothing at all is an error: gdb must not show bytes that are not there. */
static void command_read_memory(const char *text, struct reply *r)
{
    static uint8_t bytes[PACKET_MAX / 2];
    uint64_t addr, size;

    if (!take_range(&text, &addr, &size)) {
        reply_errno(r, EINVAL);
        return;
    }
    size_t n = copy(addr, bytes, size < sizeof bytes ? size : sizeof bytes, false);
    if (n > 0 || size == 0)
        reply_hex(r, bytes, n);
    else
        reply_errno(r, EFAULT);
}

GDB_COMMAND(packet_m) = {"m", .run = command_read_memory};

static void write_memory(uint64_t addr, void *bytes, size_t size, struct reply *r)
{
    if (copy(addr, bytes, size, true) == size)
        reply_text(r, "OK");
    else
        reply_errno(r, EFAULT);
}

static void command_write_memory(const char *text, struct reply *r)
{
    static uint8_t bytes[PACKET_MAX / 2];
    uint64_t addr, size;

    if (take_range(&text, &addr, &size) && take_word(&text, ":") && size <= sizeof bytes &&
        take_hex(&text, bytes, size))
        write_memory(addr, bytes, size, r);
    else
        reply_errno(r, EINVAL);
}

GDB_COMMAND(packet_M) = {"M", .run = command_write_memory};

/* The bytes as they are (the escapes are gone), up to the packet's end. */
static void command_write_binary(const char *text, struct reply *r)
{
    uint64_t addr, size;

    if (take_range(&text, &addr, &size) && take_word(&text, ":") && size == (uint64_t)(gdb.packet_end - text))
        write_memory(addr, (void *)(uintptr_t)text, size, r);
    else
        reply_errno(r, EINVAL);
}

GDB_COMMAND(packet_X) = {"X", .run = command_write_binary};

/* ---- Registers ---- */

static void command_registers(const char *text, struct reply *r)
{
    uint8_t value[VALUE_MAX];
    struct gdb_registers registers;
    struct gdb_register reg;

    (void)text;
    if (registers_load(gdb.vcpu, &registers) < 0) {
        reply_errno(r, EIO);
        return;
    }
    for (unsigned n = 0; gdb_register(n, &reg); n++) {
        register_get(&registers, &reg, value);
        reply_hex(r, value, reg.bits / 8);
    }
}

GDB_COMMAND(packet_g) = {"g", .run = command_registers};

/* Change as many registers as `text` has values for, from number n on, at most `count`. */
static void set_registers(const char *text, unsigned n, unsigned count, struct reply *r)
{
    struct gdb_registers old, new;
    uint8_t value[VALUE_MAX];
    struct gdb_register reg;
    int err = registers_load(gdb.vcpu, &old);

    new = old;
    for (; count-- > 0 && gdb_register(n, &reg) && take_hex(&text, value, reg.bits / 8); n++)
        register_set(&new, &reg, value);
    if (err < 0 || *text || registers_store(gdb.vcpu, &old, &new) < 0)
        reply_errno(r, EINVAL);
    else
        reply_text(r, "OK");
}

static void command_set_registers(const char *text, struct reply *r)
{
    set_registers(text, 0, UINT16_MAX, r);
}

GDB_COMMAND(packet_G) = {"G", .run = command_set_registers};

static void command_register(const char *text, struct reply *r)
{
    uint8_t value[VALUE_MAX];
    struct gdb_registers registers;
    struct gdb_register reg;
    uint64_t n;

    if (!take_number(&text, &n) || n > UINT16_MAX || !gdb_register((unsigned)n, &reg) ||
        registers_load(gdb.vcpu, &registers) < 0) {
        reply_errno(r, EINVAL);
        return;
    }
    register_get(&registers, &reg, value);
    reply_hex(r, value, reg.bits / 8);
}

GDB_COMMAND(packet_p) = {"p", .run = command_register};

static void command_set_register(const char *text, struct reply *r)
{
    uint64_t n;

    if (take_number(&text, &n) && n <= UINT16_MAX && take_word(&text, "="))
        set_registers(text, (unsigned)n, 1, r);
    else
        reply_errno(r, EINVAL);
}

GDB_COMMAND(packet_P) = {"P", .run = command_set_register};
