/* In: guestos/kernel/traps.c. Caught by: unit_traps.handlers_run_in_the_kernels_segment_with_interrupts_off.
 * Mistake: makes trap gates, which leave interrupts on. */
static void set_gate(unsigned vector, uint8_t type, uint8_t ist)
{
    uint64_t address = (uint64_t)trap_vectors + vector * 16;

    idt[vector] = (struct gate){
        .offset_low = address,
        .offset_middle = address >> 16,
        .offset_high = address >> 32,
        .selector = KERNEL_CS,
        .type = type | 1,
        .ist = ist,
    };
}
