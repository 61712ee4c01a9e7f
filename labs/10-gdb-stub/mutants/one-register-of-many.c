/* In: hypervisor/inspect/gdb_data.c. Caught by: unit_gdb_stub.all_registers_come_in_one_answer. Mistake:
 * takes the same register again and again. */
static int set_registers(const char *text, unsigned n, unsigned count)
{
    struct gdb_registers old, new;
    uint8_t value[VALUE_MAX];
    struct gdb_register reg;

    if (registers_load(gdb.vcpu, &old) < 0)
        return EIO;
    new = old;
    for (; count-- > 0 && gdb_register(0, &reg) && take_hex(&text, value, reg.bits / 8); n++)
        register_set(&new, &reg, value);
    if (*text)
        return EINVAL;
    return registers_store(gdb.vcpu, &old, &new) < 0 ? EIO : 0;
}
