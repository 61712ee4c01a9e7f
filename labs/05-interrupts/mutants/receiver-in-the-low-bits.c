/* In: guestos/kernel/apic.c. Caught by: unit_apic.it_goes_to_the_cpu_that_runs. Mistake: the receiver's
 * number is not in the highest byte. */
static void unmask(unsigned line)
{
    ioapic_write(REDIRECTION(line) + 1, apic_id());
    ioapic_write(REDIRECTION(line), IRQ_VECTOR + line);
}
