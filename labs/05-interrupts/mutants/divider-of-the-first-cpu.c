/* In: guestos/kernel/apic.c. Caught by: unit_apic.another_cpu_starts_without_measuring. Mistake: trusts
 * the divider that was set for measuring: on this CPU. */
void apic_start_tick(void)
{
    if (!timer_count)
        calibrate_timer();
    lapic_write(LAPIC_TIMER, TIMER_PERIODIC | TIMER_VECTOR);
    lapic_write(LAPIC_TIMER_INITIAL, timer_count);
}
