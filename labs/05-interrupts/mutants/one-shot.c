/* In: guestos/kernel/apic.c. Caught by: unit_apic.the_timer_goes_on_by_itself. Mistake: the timer runs
 * once. */
void apic_start_tick(void)
{
    if (!timer_count)
        calibrate_timer();
    lapic_write(LAPIC_TIMER_DIVIDE, DIVIDE_BY_16);
    lapic_write(LAPIC_TIMER, TIMER_VECTOR);
    lapic_write(LAPIC_TIMER_INITIAL, timer_count);
}
