/*
 * Read the gate of `vector` from the guest's IDT (16 bytes each, from a->sregs.idt.base, a guest-virtual
 * address) into *gate: the handler's address, which lies in three pieces, and selector, IST, type and present
 * bit. Returns false if the IDT is not mapped there. Intel SDM 3A §6.14.1. Handout, section 4.5.
 */
static bool gate_read(const struct autopsy *a, unsigned vector, struct gate *gate)
{
    (void)a, (void)vector;
    *gate = (struct gate){0};
    lab_todo(4, "gate_read", "handout section 4.5");
    return false;
}
