/* In: guestos/mm/fault.c. Caught by: unit_fault.the_manager_of_memory_is_asked_first,
 * unit_fault.what_nobody_resolves_is_the_end. Mistake: takes where the instruction lies for what it wanted to
 * touch. */
static void page_fault(struct trapframe *frame)
{
    uint64_t address = frame->rip;

    if (resolve && resolve(address, frame))
        return;
    if (!from_user(frame) && trap_fixup(frame))
        return;
    explain(address, frame->error);
    print_registers(frame);
    print_backtrace(frame->rip, frame->rbp);
    panic("page fault at %016lx", address);
}
