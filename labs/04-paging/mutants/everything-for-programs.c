/* In: guestos/kernel/traps.c. Caught by: unit_traps.programs_may_raise_a_breakpoint_only. Mistake: lets
 * programs raise every vector by INT. */
static void set_gate(unsigned vector, uint8_t type, uint8_t ist)
{
    uint64_t address = (uint64_t)trap_vectors + vector * 16;

    idt[vector] = (struct gate){
        .offset_low = address,
        .offset_middle = address >> 16,
        .offset_high = address >> 32,
        .selector = KERNEL_CS,
        .type = type | 0x60,
        .ist = ist,
    };
}
