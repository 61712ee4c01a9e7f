/* In: guestos/mm/fault.c. Caught by: unit_fault.a_programs_fault_is_never_fixed_up. Mistake: looks for a
 * fix-up whoever has faulted. */
static void page_fault(struct trapframe *frame)
{
    uint64_t address = read_cr2();

    if (resolve && resolve(address, frame))
        return;
    if (trap_fixup(frame))
        return;
    explain(address, frame->error);
    print_registers(frame);
    print_backtrace(frame->rip, frame->rbp);
    panic("page fault at %016lx", address);
}
