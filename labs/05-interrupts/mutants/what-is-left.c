/* In: guestos/kernel/apic.c. Caught by: unit_apic.a_tick_is_a_hundredth_of_a_second. Mistake: takes what
 * is left to count for what was counted. */
static uint64_t measure_timer(void)
{
    uint64_t start = clock_ns();

    lapic_write(LAPIC_TIMER_INITIAL, UINT32_MAX);
    while (clock_ns() - start < CALIBRATE_NS)
        cpu_relax();
    uint64_t counted = lapic_read(LAPIC_TIMER_CURRENT);
    return counted * NS_PER_SECOND / (clock_ns() - start);
}
