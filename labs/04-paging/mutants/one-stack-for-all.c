/* In: guestos/kernel/traps.c. Caught by: unit_traps.a_double_fault_has_a_stack_of_its_own. Mistake: forgets
 * the IST. */
static void set_gate(unsigned vector, uint8_t type, uint8_t ist)
{
    (void)ist;
    uint64_t address = (uint64_t)trap_vectors + vector * 16;

    idt[vector] = (struct gate){
        .offset_low = address,
        .offset_middle = address >> 16,
        .offset_high = address >> 32,
        .selector = KERNEL_CS,
        .type = type,
    };
}
