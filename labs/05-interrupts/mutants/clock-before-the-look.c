/* In: guestos/kernel/apic.c. Caught by: unit_apic.a_delay_before_the_look_makes_no_slow_tick. Mistake:
 * looks at the clock, and then at the timer. */
static uint64_t measure_timer(void)
{
    uint64_t start = clock_ns();

    lapic_write(LAPIC_TIMER_INITIAL, UINT32_MAX);
    while (clock_ns() - start < CALIBRATE_NS)
        cpu_relax();
    uint64_t end = clock_ns();
    uint64_t counted = UINT32_MAX - lapic_read(LAPIC_TIMER_CURRENT);
    return counted * NS_PER_SECOND / (end - start);
}
