/* In: guestos/kernel/apic.c. Caught by: unit_apic.a_line_that_was_claimed_is_let_through,
 * unit_apic.a_line_raises_its_vector. Mistake: takes the entries for one register each. */
static void unmask(unsigned line)
{
    ioapic_write(0x10 + line + 1, apic_id() << 24);
    ioapic_write(0x10 + line, IRQ_VECTOR + line);
}
