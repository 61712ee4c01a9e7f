/* In: guestos/mm/fault.c. Caught by: unit_fault.what_nobody_resolves_is_the_end. Mistake: begins the
 * backtrace at the address that was touched, and not at the instruction. */
static void page_fault(struct trapframe *frame)
{
    uint64_t address = read_cr2();

    if (resolve && resolve(address, frame))
        return;
    if (!from_user(frame) && trap_fixup(frame))
        return;
    explain(address, frame->error);
    print_registers(frame);
    print_backtrace(address, frame->rbp);
    panic("page fault at %016lx", address);
}
