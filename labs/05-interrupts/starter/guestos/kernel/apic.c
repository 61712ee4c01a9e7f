/*
 * Let the line through, to the CPU that runs (apic_id()), as vector IRQ_VECTOR + line, edge-triggered and
 * active when high. Two registers of the IOAPIC: REDIRECTION(line) is the lower half of the line's entry,
 * with its mask, and the next one is the upper half, with the receiver in bits 31..24 (82093AA §3.2.4).
 * Handout, section 4.2.
 */
static void unmask(unsigned line)
{
    (void)line, (void)ioapic_write; /* yours to use */
    lab_todo(5, "unmask", "handout section 4.2");
}

/*
 * A device's line has interrupted: call its handler (irq_dispatch()), and tell the local APIC the end. Intel
 * SDM 3A §10.8.5. Handout, section 4.3.
 */
static void device_interrupt(struct trapframe *frame)
{
    (void)frame;
    lab_todo(5, "device_interrupt", "handout section 4.3");
}

/*
 * How often the timer counts in a second, measured against clock_ns() for CALIBRATE_NS or more: a count is
 * started by writing LAPIC_TIMER_INITIAL, and goes down in LAPIC_TIMER_CURRENT. We may be held up anywhere on
 * the way; then the result may be too low, but never too high. Intel SDM 3A §10.5.4. Handout, section 4.6.
 */
static uint64_t measure_timer(void)
{
    lab_todo(5, "measure_timer", "handout section 4.6");
    return 1;
}

/*
 * Have this CPU's timer raise TIMER_VECTOR TICKS_PER_SECOND times a second, by itself: TIMER_PERIODIC,
 * DIVIDE_BY_16, and timer_count counts for a tick. calibrate_timer() finds timer_count; for all CPUs, so call
 * it once. Intel SDM 3A §10.5.4. Handout, section 4.6.
 */
void apic_start_tick(void)
{
    (void)calibrate_timer, (void)timer_count; /* yours to use */
    lab_todo(5, "apic_start_tick", "handout section 4.6");
}
