/* In: guestos/kernel/traps.c. Caught by: unit_traps.every_gate_leads_to_its_entry. Mistake: takes the entries
 * of trap_vectors for 8 bytes apart. */
static void set_gate(unsigned vector, uint8_t type, uint8_t ist)
{
    uint64_t address = (uint64_t)trap_vectors + vector * 8;

    idt[vector] = (struct gate){
        .offset_low = address,
        .offset_middle = address >> 16,
        .offset_high = address >> 32,
        .selector = KERNEL_CS,
        .type = type,
        .ist = ist,
    };
}
