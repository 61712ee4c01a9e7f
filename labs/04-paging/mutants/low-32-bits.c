/* In: guestos/kernel/traps.c. Caught by: unit_traps.every_gate_leads_to_its_entry. Mistake: forgets the upper
 * half of the handler's address. */
static void set_gate(unsigned vector, uint8_t type, uint8_t ist)
{
    uint64_t address = (uint64_t)trap_vectors + vector * 16;

    idt[vector] = (struct gate){
        .offset_low = address,
        .offset_middle = address >> 16,
        .selector = KERNEL_CS,
        .type = type,
        .ist = ist,
    };
}
