/*
 * Called for every page fault, from the kernel or from a program. resolve(), if there is one, may deal with
 * it; else trap_fixup() may, if it is the kernel that faulted. What nobody deals with is the end: explain(),
 * print_registers(), print_backtrace() and panic, "page fault at %016lx", with the address that could not be
 * used. Intel SDM 3A §4.7. Handout, section 4.13.
 */
static void page_fault(struct trapframe *frame)
{
    (void)frame;
    (void)explain; /* yours to use */
    lab_todo(4, "page_fault", "handout section 4.13");
}
