/* In: guestos/kernel/apic.c. Caught by: unit_apic.a_delay_after_the_start_makes_no_slow_tick. Mistake:
 * looks at the clock when the timer runs already. */
static uint64_t measure_timer(void)
{
    lapic_write(LAPIC_TIMER_INITIAL, UINT32_MAX);
    uint64_t start = clock_ns();
    while (clock_ns() - start < CALIBRATE_NS)
        cpu_relax();
    uint64_t counted = UINT32_MAX - lapic_read(LAPIC_TIMER_CURRENT);
    return counted * NS_PER_SECOND / (clock_ns() - start);
}
