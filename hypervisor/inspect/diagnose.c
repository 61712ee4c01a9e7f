/* The cause of a death in the words of a teacher: what the instruction did, and why its exception found no
 * handler. */
#include "inspect.h"

#define CR0_PE   1ul
#define EFER_LMA (1ul << 10)

/* Those that a kernel meets while it is young. */
static const struct {
    const char *name, *meaning;
} exceptions[32] = {
    [0] = {"#DE", "a division by zero, or a quotient too large"},
    [3] = {"#BP", "a breakpoint instruction (INT3)"},
    [6] = {"#UD", "an instruction that does not exist, or not on this CPU in this mode"},
    [7] = {"#NM", "an FPU or SSE instruction while CR0.TS or CR0.EM is set"},
    [8] = {"#DF", "an exception while another one was being delivered"},
    [10] = {"#TS", "a bad task segment"},
    [11] = {"#NP", "a segment that is not present"},
    [12] = {"#SS", "a stack address that is not canonical, or a bad stack segment"},
    [13] = {"#GP", "something that the CPU's protection forbids here: a bad selector, a privileged "
                   "instruction, a reserved bit in a control register or MSR, or an address that is not "
                   "canonical"},
    [PAGE_FAULT] = {"#PF", "an address that is not mapped, or not for this"},
    [16] = {"#MF", "an error of the x87 FPU"},
    [17] = {"#AC", "an address that is not aligned"},
    [19] = {"#XM", "an error of an SSE instruction"},
};

/* A gate of a 64-bit IDT (Intel SDM 3A §6.14.1). */
struct gate {
    uint64_t handler;
    unsigned selector, ist, type, present;
};

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
        .present = raw[0] >> 47 & 1,
    };
    return true;
}

/* Whether the CPU stays on the stack in use. */
static bool keeps_stack(const struct autopsy *a, const struct gate *gate)
{
    return !gate->ist && (a->sregs.cs.selector & 3) == 0;
}

/* Otherwise the TSS names the stack: by IST, or for ring 0. False: the TSS is no help. */
static bool handler_stack(const struct autopsy *a, const struct gate *gate, uint64_t *rsp)
{
    unsigned slot = gate->ist ? 36 + 8 * (gate->ist - 1u) : 4;

    *rsp = a->regs.rsp;
    return keeps_stack(a, gate) || (slot + 7 <= a->sregs.tr.limit &&
                                    walk_read(a->vcpu->vm, &a->sregs, a->sregs.tr.base + slot, rsp, 8) == 8);
}

/* The gate is good: look at the stack that the CPU would push to. */
static void diagnose_stack(const struct autopsy *a, const struct gate *gate)
{
    struct walk w;
    uint64_t rsp;

    if (!handler_stack(a, gate, &rsp)) {
        fprintf(a->out, "the handler's stack is in the TSS, and there is no usable TSS (TR limit 0x%x).\n",
                a->sregs.tr.limit);
    } else if (walk(a->vcpu->vm, &a->sregs, (rsp & ~15ul) - 8, WALK_WRITE | WALK_SMAP, &w)) {
        fprintf(a->out, "its handler was entered and died itself.\n");
    } else {
        fprintf(a->out, "the handler's stack is not usable:\n");
        print_walk(a, "RSP", (rsp & ~15ul) - 8, WALK_WRITE | WALK_SMAP);
        if (keeps_stack(a, gate))
            fprintf(a->out,
                    "  The handler runs on the stack of the code that it interrupts, and that has run off "
                    "its end: a stack\n"
                    "  overflow, by deep recursion or large local variables. A handler with a stack of its "
                    "own (IST in the\n"
                    "  IDT entry, and the TSS) survives this and can report it.\n");
    }
}

/* Why the CPU could not deliver exception `vector`. */
static void diagnose_delivery(const struct autopsy *a, unsigned vector)
{
    unsigned limit = a->sregs.idt.limit;
    FILE *out = a->out;
    struct gate gate;
    struct walk w;

    if (limit < 16) {
        fprintf(out, "there is no IDT yet (limit %u): load one with LIDT before anything can fault.\n",
                limit);
    } else if (limit < vector * 16 + 15) {
        fprintf(out, "the IDT ends before this vector (limit %u).\n", limit);
    } else if (!gate_read(a, vector, &gate)) {
        fprintf(out, "the IDT is not mapped:\n");
        print_walk(a, "IDT", a->sregs.idt.base + vector * 16, 0);
    } else if (!gate.present) {
        fprintf(out, "IDT entry %u is empty (not present).\n", vector);
    } else if (gate.type != 14 && gate.type != 15) {
        fprintf(out, "IDT entry %u is not an interrupt or trap gate.\n", vector);
    } else if (gate.selector < 4 || gate.selector > a->sregs.gdt.limit) {
        fprintf(out, "IDT entry %u names code selector 0x%x, which is not in the GDT (limit 0x%x).\n", vector,
                gate.selector, a->sregs.gdt.limit);
    } else if (!walk(a->vcpu->vm, &a->sregs, gate.handler, WALK_FETCH, &w)) {
        fprintf(out, "its handler at %016lx cannot be executed:\n", gate.handler);
        print_walk(a, "handler", gate.handler, WALK_FETCH);
    } else {
        diagnose_stack(a, &gate);
    }
}

/* The instruction could not even be fetched: the walk says why, and that is the cause. */
static void diagnose_fetch(const struct autopsy *a, const struct walk *w)
{
    uint64_t rip = a->regs.rip, cr3 = a->sregs.cr3;

    if (w->count == 0 && !strncmp(w->why, "CR3", 3))
        fprintf(a->out,
                "bad page tables: CR3 is %lx, outside the guest's RAM, so no address can be translated any "
                "more.\n  CR3 takes the PHYSICAL address of the top table.\n",
                cr3);
    else if (w->page_size && a->ring & WALK_USER && !w->user)
        fprintf(a->out,
                "ring 3 jumped into a page of the kernel: at some level of its walk the U bit is clear. The "
                "kernel entered\n  ring 3 at a wrong address, or did not give the program's pages to it.\n");
    else if (w->page_size && !w->executable)
        fprintf(a->out,
                "it executed data: the page of RIP has the no-execute bit (NX) set. A wrong function "
                "pointer or an\n  overwritten return address leads here; or the page tables mark code "
                "as data.\n");
    else if (w->page_size)
        fprintf(
            a->out,
            "SMEP: the kernel executed a user page, which CR4 bit 20 forbids. To run a program, enter ring 3 "
            "(IRETQ or\n  SYSRET); the kernel's own code belongs into pages whose U bit is clear.\n");
    else if (rip < PAGE_SIZE)
        fprintf(a->out,
                "a jump to nowhere: RIP is %lx, next to zero. A function pointer was NULL, or the stack that "
                "a\n  RET took its address from was empty.\n",
                rip);
    else
        fprintf(a->out,
                "a jump to nowhere: nothing is mapped at RIP, so the instruction cannot be fetched. A "
                "function pointer or a\n  return address is wrong, or the page tables just loaded "
                "(CR3) do not map the code that loads them.\n");
    print_walk(a, "RIP", a->sregs.cs.base + rip, WALK_FETCH | a->ring);
}

static void diagnose_page_fault(const struct autopsy *a)
{
    fprintf(a->out, "#PF: ring %d tried to %s %016lx\n", a->access & WALK_USER ? 3 : 0,
            a->access & WALK_FETCH   ? "execute"
            : a->access & WALK_WRITE ? "write"
                                     : "read",
            a->cr2);
    print_walk(a, "CR2", a->cr2, a->access);
}

void diagnose(const struct autopsy *a)
{
    unsigned vector = a->faulted ? a->vector : PAGE_FAULT;
    const char *name = exceptions[vector].name ?: "an exception";
    struct walk w;

    fprintf(a->out, "Cause: ");
    if (!walk(a->vcpu->vm, &a->sregs, a->sregs.cs.base + a->regs.rip, WALK_FETCH | a->ring, &w))
        diagnose_fetch(a, &w);
    else if (a->faulted && vector == PAGE_FAULT)
        diagnose_page_fault(a);
    else if (a->faulted)
        fprintf(a->out, "%s (error code 0x%lx): %s.\n", name, a->error,
                exceptions[vector].meaning ?: "an exception");
    else if (!(a->sregs.efer & EFER_LMA)) {
        fprintf(a->out, "an exception in %s that had no handler: the guest was still starting up.\n",
                a->sregs.cr0 & CR0_PE ? "32-bit protected mode" : "real mode");
        return;
    } else if (a->stale) {
        fprintf(a->out,
                "not found: the guest died some way behind its last exit, whose state is all that is left.\n"
                "  Run it again with --step-after %lu, to see its last instructions one by one.\n",
                a->vcpu->exit_count - 1);
        return;
    } else
        fprintf(a->out, "the instruction at RIP, or the handler that it led to.\n");
    fprintf(a->out, "  %s could not be handled: ", name);
    diagnose_delivery(a, vector);
}
