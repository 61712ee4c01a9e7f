/* In: guestos/kernel/apic.c. Caught by: unit_apic.a_line_is_edge_triggered_and_active_when_high. Mistake:
 * sets bit 15: level-triggered. */
static void unmask(unsigned line)
{
    ioapic_write(REDIRECTION(line) + 1, apic_id() << 24);
    ioapic_write(REDIRECTION(line), 0x8000 | (IRQ_VECTOR + line));
}
