/* In: guestos/kernel/apic.c. Caught by: unit_apic.the_time_that_really_passed_counts. Mistake: divides by
 * the time that it wanted to wait. */
static uint64_t measure_timer(void)
{
    uint64_t start = clock_ns();

    lapic_write(LAPIC_TIMER_INITIAL, UINT32_MAX);
    while (clock_ns() - start < CALIBRATE_NS)
        cpu_relax();
    uint64_t counted = UINT32_MAX - lapic_read(LAPIC_TIMER_CURRENT);
    return counted * NS_PER_SECOND / CALIBRATE_NS;
}
