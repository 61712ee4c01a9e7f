/* In: guestos/kernel/apic.c. Caught by: unit_apic.a_line_opens_when_its_entry_is_complete. Mistake:
 * writes the half with the mask first. */
static void unmask(unsigned line)
{
    ioapic_write(REDIRECTION(line), IRQ_VECTOR + line);
    ioapic_write(REDIRECTION(line) + 1, apic_id() << 24);
}
