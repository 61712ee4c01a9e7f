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
static int command_read_memory(const char *text, struct reply *r)
{
    static uint8_t bytes[PACKET_MAX / 2];
    uint64_t addr, size;

    if (!take_range(&text, &addr, &size))
        return EINVAL;
    size_t n = copy(addr, bytes, size < sizeof bytes ? size : sizeof bytes, false);
    reply_hex(r, bytes, n);
    return n > 0 || size == 0 ? 0 : EFAULT;
}

GDB_COMMAND(packet_m) = {"m", .run = command_read_memory};

static int command_write_memory(const char *text, struct reply *r)
{
    static uint8_t bytes[PACKET_MAX / 2];
    uint64_t addr, size;

    (void)r;
    if (!take_range(&text, &addr, &size) || !take_word(&text, ":") || size > sizeof bytes ||
        !take_hex(&text, bytes, size))
        return EINVAL;
    return copy(addr, bytes, size, true) == size ? 0 : EFAULT;
}

GDB_COMMAND(packet_M) = {"M", .run = command_write_memory, .answer = "OK"};

/* The bytes as they are (the escapes are gone), up to the packet's end. */
static int command_write_binary(const char *text, struct reply *r)
{
    uint64_t addr, size;

    (void)r;
    if (!take_range(&text, &addr, &size) || !take_word(&text, ":") ||
        size != (uint64_t)(gdb.packet_end - text))
        return EINVAL;
    return copy(addr, (void *)(uintptr_t)text, size, true) == size ? 0 : EFAULT;
}

GDB_COMMAND(packet_X) = {"X", .run = command_write_binary, .answer = "OK"};

/* ---- Registers ---- */

/* The values of registers n, n + 1 and so on, as many as there are, at most `count`. */
static int get_registers(unsigned n, unsigned count, struct reply *r)
{
    uint8_t value[VALUE_MAX];
    struct gdb_registers registers;
    struct gdb_register reg;

    if (!gdb_register(n, &reg))
        return EINVAL;
    if (registers_load(gdb.vcpu, &registers) < 0)
        return EIO;
    for (; count-- > 0 && gdb_register(n, &reg); n++) {
        register_get(&registers, &reg, value);
        reply_hex(r, value, reg.bits / 8);
    }
    return 0;
}

/* "n:value;" for RBP, RSP and RIP. */
void reply_place(struct reply *r, struct vcpu *vcpu)
{
    static const unsigned numbers[] = {6, 7, 16};
    uint8_t value[VALUE_MAX];
    struct gdb_registers registers;
    struct gdb_register reg;

    if (ioctl(vcpu->fd, KVM_GET_REGS, &registers.regs) < 0)
        return;
    for (unsigned i = 0; i < COUNT(numbers) && gdb_register(numbers[i], &reg); i++) {
        register_get(&registers, &reg, value);
        reply_text(r, "%02x:", numbers[i]);
        reply_hex(r, value, reg.bits / 8);
        reply_text(r, ";");
    }
}

/* Change as many registers as `text` has values for, from number n on, at most `count`. */
static int set_registers(const char *text, unsigned n, unsigned count)
{
    struct gdb_registers old, new;
    uint8_t value[VALUE_MAX];
    struct gdb_register reg;

    if (registers_load(gdb.vcpu, &old) < 0)
        return EIO;
    new = old;
    for (; count-- > 0 && gdb_register(n, &reg) && take_hex(&text, value, reg.bits / 8); n++)
        register_set(&new, &reg, value);
    if (*text)
        return EINVAL;
    return registers_store(gdb.vcpu, &old, &new) < 0 ? EIO : 0;
}

static int command_registers(const char *text, struct reply *r)
{
    (void)text;
    return get_registers(0, UINT16_MAX, r);
}

GDB_COMMAND(packet_g) = {"g", .run = command_registers};

static int command_set_registers(const char *text, struct reply *r)
{
    (void)r;
    return set_registers(text, 0, UINT16_MAX);
}

GDB_COMMAND(packet_G) = {"G", .run = command_set_registers, .answer = "OK"};

static int command_register(const char *text, struct reply *r)
{
    uint64_t n;

    return take_number(&text, &n) && n <= UINT16_MAX ? get_registers((unsigned)n, 1, r) : EINVAL;
}

GDB_COMMAND(packet_p) = {"p", .run = command_register};

static int command_set_register(const char *text, struct reply *r)
{
    uint64_t n;

    (void)r;
    return take_number(&text, &n) && n <= UINT16_MAX && take_word(&text, "=")
               ? set_registers(text, (unsigned)n, 1)
               : EINVAL;
}

GDB_COMMAND(packet_P) = {"P", .run = command_set_register, .answer = "OK"};
