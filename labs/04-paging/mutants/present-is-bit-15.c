/* In: hypervisor/inspect/diagnose.c. Caught by: kvm_postmortem.unmapped_handler_is_named. Mistake: takes bit
 * 15 of the gate for its present bit: it is bit 15 of the gate's second double word. */
static bool gate_read(const struct autopsy *a, unsigned vector, struct gate *gate)
{
    uint64_t raw[2];

    if (walk_read(a->vcpu->vm, &a->sregs, a->sregs.idt.base + vector * 16, raw, 16) != 16)
        return false;
    *gate = (struct gate){
        .handler = (raw[0] & 0xffff) | (raw[0] >> 48) << 16 | raw[1] << 32,
        .selector = raw[0] >> 16 & 0xffff,
        .ist = raw[0] >> 32 & 7,
        .type = raw[0] >> 40 & 15,
        .present = raw[0] >> 15 & 1,
    };
    return true;
}
