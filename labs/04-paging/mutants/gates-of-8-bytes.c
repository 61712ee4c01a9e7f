/* In: hypervisor/inspect/diagnose.c. Caught by: kvm_postmortem.empty_idt_entry_is_named. Mistake: takes gates
 * to be 8 bytes apart, as they were in 32-bit mode. */
static bool gate_read(const struct autopsy *a, unsigned vector, struct gate *gate)
{
    uint64_t raw[2];

    if (walk_read(a->vcpu->vm, &a->sregs, a->sregs.idt.base + vector * 8, raw, 16) != 16)
        return false;
    *gate = (struct gate){
        .handler = (raw[0] & 0xffff) | (raw[0] >> 48) << 16 | raw[1] << 32,
        .selector = raw[0] >> 16 & 0xffff,
        .ist = raw[0] >> 32 & 7,
        .type = raw[0] >> 40 & 15,
        .present = raw[0] >> 47 & 1,
    };
    return true;
}
