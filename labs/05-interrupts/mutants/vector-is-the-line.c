/* In: guestos/kernel/apic.c. Caught by: unit_apic.a_line_raises_its_vector. Mistake: the vectors begin at
 * 0, where the exceptions are. */
static void unmask(unsigned line)
{
    ioapic_write(REDIRECTION(line) + 1, apic_id() << 24);
    ioapic_write(REDIRECTION(line), line);
}
