/* In: guestos/mm/fault.c. Caught by: unit_fault.the_manager_of_memory_is_asked_first. Mistake: gives an
 * access up before it asks whether the page can be had. */
static void page_fault(struct trapframe *frame)
{
    uint64_t address = read_cr2();

    if (!from_user(frame) && trap_fixup(frame))
        return;
    if (resolve && resolve(address, frame))
        return;
    explain(address, frame->error);
    print_registers(frame);
    print_backtrace(frame->rip, frame->rbp);
    panic("page fault at %016lx", address);
}
