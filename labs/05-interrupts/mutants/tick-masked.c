/* In: guestos/kernel/apic.c. Caught by: unit_apic.the_tick_has_a_vector_and_is_let_through. Mistake:
 * leaves the mask of the measurement on. */
void apic_start_tick(void)
{
    if (!timer_count)
        calibrate_timer();
    lapic_write(LAPIC_TIMER_DIVIDE, DIVIDE_BY_16);
    lapic_write(LAPIC_TIMER, TIMER_MASKED | TIMER_PERIODIC | TIMER_VECTOR);
    lapic_write(LAPIC_TIMER_INITIAL, timer_count);
}
