/* In: hypervisor/inspect/gdb_data.c. Caught by: unit_gdb_stub.a_register_is_read_and_written. Mistake:
 * changes registers although the packet is wrong. */
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
    if (registers_store(gdb.vcpu, &old, &new) < 0)
        return EIO;
    return *text ? EINVAL : 0;
}
