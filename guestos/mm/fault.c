/* Page faults: resolved by whoever manages programs' memory, or explained. */
#include "cpu.h"
#include "fault.h"
#include "init.h"
#include "layout.h"
#include "printk.h"

static bool (*resolve)(uint64_t address, struct trapframe *frame);

void fault_set_resolver(bool (*resolver)(uint64_t address, struct trapframe *frame))
{
    resolve = resolver;
}

static const char *place(uint64_t address)
{
    if (address < PAGE_SIZE)
        return "a NULL pointer, or a member of an object that is not there";
    if (address <= USER_END)
        return "a program's address that the kernel may not touch directly";
    if (address >= MAP_BASE && address < MAP_END)
        return "an unmapped page among the stacks and buffers: most likely a guard page";
    if (address >= KERNEL_BASE)
        return "in the kernel image";
    return "an address that nothing is mapped at";
}

static void explain(uint64_t address, uint64_t error)
{
    const char *access = error & FAULT_FETCH ? "execute" : error & FAULT_WRITE ? "write" : "read";
    const char *why = error & FAULT_PRESENT ? "which is mapped, but not for that" : "where no page is mapped";

    warn("\r\nPage fault: tried to %s %016lx, %s: %s.\r\n", access, address, why, place(address));
}

static void page_fault(struct trapframe *frame)
{
    uint64_t address = read_cr2();

    if (resolve && resolve(address, frame))
        return;
    if (!from_user(frame) && trap_fixup(frame))
        return;
    explain(address, frame->error);
    print_registers(frame);
    print_backtrace(frame->rip, frame->rbp);
    panic("page fault at %016lx", address);
}

/* What the CPU raises when it cannot even tell of another exception; nearly always because the stack is used
 * up. */
static void double_fault(struct trapframe *frame)
{
    uint64_t address = read_cr2();

    warn("\r\n");
    if (address - (frame->rsp - PAGE_SIZE) < 2 * PAGE_SIZE)
        warn("The kernel's stack is used up: it has grown into the unmapped page below it, at %016lx.\r\n",
             address);
    print_registers(frame);
    print_backtrace(frame->rip, frame->rbp);
    panic("double fault");
}

static void fault_init(void)
{
    trap_handle(TRAP_DOUBLE_FAULT, double_fault);
    trap_handle(TRAP_PAGE_FAULT, page_fault);
}

INIT(INIT_TRAPS, fault_init);
