/* In: guestos/kernel/apic.c. Caught by: unit_apic.another_cpu_starts_without_measuring. Mistake: measures
 * again on each CPU. */
void apic_start_tick(void)
{
    calibrate_timer();
    lapic_write(LAPIC_TIMER_DIVIDE, DIVIDE_BY_16);
    lapic_write(LAPIC_TIMER, TIMER_PERIODIC | TIMER_VECTOR);
    lapic_write(LAPIC_TIMER_INITIAL, timer_count);
}
