/* The cause of a death in the words of a teacher: what the instruction did, and why its exception found no
 * handler. */
#include <inttypes.h>
#include <string.h>
#include "autopsy.h"

#define CR0_PE   1ull
#define EFER_LMA (1ull << 10)

const char *exception_name(unsigned vector)
{
    static const char *const names[32] = {
        "#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", NULL,  "#TS",
        "#NP", "#SS", "#GP", "#PF", NULL,  "#MF", "#AC", "#MC", "#XM", "#VE", "#CP",
    };

    return vector < 32 && names[vector] ? names[vector] : "an interrupt";
}

/* What raises it, for those that a kernel meets while it is young. */
static const char *exception_meaning(unsigned vector)
{
    switch (vector) {
    case 0:
        return "a division by zero, or a quotient too large";
    case 3:
        return "a breakpoint instruction (INT3)";
    case 6:
        return "an instruction that does not exist, or not on this CPU in this mode";
    case 7:
        return "an FPU or SSE instruction while CR0.TS or CR0.EM is set";
    case 13:
        return "something that the CPU's protection forbids here: a bad selector, a privileged instruction, "
               "a reserved bit in a control register or MSR, or an address that is not canonical";
    default:
        return "an exception";
    }
}

void print_address(FILE *out, const struct autopsy *a, uint64_t addr)
{
    uint64_t offset;
    const char *name = symbols_find(&a->symbols, addr, &offset);

    fprintf(out, "%016" PRIx64, addr);
    if (name)
        fprintf(out, " %s+0x%" PRIx64, name, offset);
}

/* The gate of a 64-bit IDT (Intel SDM 3A §6.14.1). */
struct gate {
    uint64_t handler;
    uint16_t selector;
    uint8_t ist, type, present;
};

static bool gate_read(const struct autopsy *a, unsigned vector, struct gate *gate)
{
    uint64_t raw[2];

    if (walk_read(a->vcpu->vm, &a->sregs, a->sregs.idt.base + vector * 16, raw, 16) != 16)
        return false;
    gate->handler = (raw[0] & 0xffff) | (raw[0] >> 48 & 0xffff) << 16 | raw[1] << 32;
    gate->selector = (uint16_t)(raw[0] >> 16);
    gate->ist = raw[0] >> 32 & 7;
    gate->type = raw[0] >> 40 & 15;
    gate->present = raw[0] >> 47 & 1;
    return true;
}

/* The stack on which the CPU would push: by IST, by privilege change, or the one in use. False: the TSS is no
 * help. */
static bool handler_stack(const struct autopsy *a, const struct gate *gate, uint64_t *rsp)
{
    unsigned slot = gate->ist ? 36 + 8 * (gate->ist - 1u) : 4;

    *rsp = a->regs.rsp;
    if (!gate->ist && (a->sregs.cs.selector & 3) == 0)
        return true;
    return slot + 7 <= a->sregs.tr.limit &&
           walk_read(a->vcpu->vm, &a->sregs, a->sregs.tr.base + slot, rsp, 8) == 8;
}

static void diagnose_stack(FILE *out, const struct autopsy *a, const struct gate *gate, const struct walk *w,
                           uint64_t rsp)
{
    bool own = !gate->ist && (a->sregs.cs.selector & 3) == 0;

    fprintf(out, "the handler's stack is not usable: RSP ");
    print_address(out, a, rsp);
    fprintf(out, " -> ");
    walk_print(out, w);
    if (own)
        fprintf(out, "  The handler runs on the stack of the code that it interrupts, and that has run off "
                     "its end: a stack\n"
                     "  overflow, by deep recursion or large local variables. A handler with a stack of its "
                     "own (IST in the\n"
                     "  IDT entry, and the TSS) survives this and can report it.\n");
}

bool diagnose_delivery(FILE *out, const struct autopsy *a, unsigned vector)
{
    struct vm *vm = a->vcpu->vm;
    struct gate gate;
    struct walk w;
    uint64_t rsp;

    if (a->sregs.idt.limit < vector * 16 + 15)
        fprintf(out,
                a->sregs.idt.limit < 16
                    ? "there is no IDT yet (limit %u): load one with LIDT before anything can fault\n"
                    : "the IDT ends before this vector (limit %u)\n",
                a->sregs.idt.limit);
    else if (!gate_read(a, vector, &gate)) {
        fprintf(out, "the IDT at %" PRIx64 " is not mapped: ", (uint64_t)a->sregs.idt.base);
        walk(vm, &a->sregs, a->sregs.idt.base + vector * 16, 0, &w);
        walk_print(out, &w);
    } else if (!gate.present || (gate.type != 14 && gate.type != 15))
        fprintf(out, "IDT entry %u is %s\n", vector,
                gate.present ? "not an interrupt or trap gate" : "empty (not present)");
    else if (gate.selector < 4 || gate.selector > a->sregs.gdt.limit)
        fprintf(out, "IDT entry %u names code selector 0x%x, which is not in the GDT (limit 0x%x)\n", vector,
                gate.selector, a->sregs.gdt.limit);
    else if (!walk(vm, &a->sregs, gate.handler, WALK_FETCH, &w)) {
        fprintf(out, "its handler at ");
        print_address(out, a, gate.handler);
        fprintf(out, " cannot be executed: ");
        walk_print(out, &w);
    } else if (!handler_stack(a, &gate, &rsp))
        fprintf(out,
                "the handler's stack is in the TSS, and there is no usable TSS (TR base %" PRIx64
                ", limit 0x%x)\n",
                (uint64_t)a->sregs.tr.base, a->sregs.tr.limit);
    else if (!walk(vm, &a->sregs, (rsp & ~15ull) - 8, WALK_WRITE, &w))
        diagnose_stack(out, a, &gate, &w, rsp);
    else
        return false;
    return true;
}

/* The instruction could not even be fetched: the walk says why, and that is the cause. */
static void diagnose_fetch(FILE *out, const struct autopsy *a, const struct walk *w)
{
    if (w->count == 0 && w->why && !strncmp(w->why, "CR3", 3))
        fprintf(out,
                "bad page tables: CR3 is %" PRIx64
                ", outside the guest's RAM, so no address can be translated any more.\n"
                "  CR3 takes the PHYSICAL address of the top table.\n",
                (uint64_t)a->sregs.cr3);
    else if (w->page_size && !w->executable)
        fprintf(out, "it executed data: the page of RIP has the no-execute bit (NX) set. A wrong function "
                     "pointer or an\n"
                     "  overwritten return address leads here; or the page tables mark code as data.\n");
    else if (a->regs.rip < 4096)
        fprintf(out,
                "a jump to nowhere: RIP is %" PRIx64
                ", next to zero. A function pointer was NULL, or the stack that a\n"
                "  RET took its address from was empty.\n",
                (uint64_t)a->regs.rip);
    else
        fprintf(out, "a jump to nowhere: nothing is mapped at RIP, so the instruction cannot be fetched. A "
                     "function pointer or a\n"
                     "  return address is wrong, or the page tables just loaded (CR3) do not map the code "
                     "that loads them.\n");
    fprintf(out, "  RIP -> ");
    walk_print(out, w);
}

static void diagnose_page_fault(FILE *out, const struct autopsy *a)
{
    unsigned access =
        (a->error & 2 ? WALK_WRITE : 0) | (a->error & 4 ? WALK_USER : 0) | (a->error & 16 ? WALK_FETCH : 0);
    struct walk w;

    fprintf(out, "#PF: ring %d tried to %s ", a->error & 4 ? 3 : 0,
            a->error & 16  ? "execute"
            : a->error & 2 ? "write"
                           : "read");
    print_address(out, a, a->cr2);
    fprintf(out, " -> ");
    walk(a->vcpu->vm, &a->sregs, a->cr2, access, &w);
    walk_print(out, &w);
}

void diagnose(FILE *out, const struct autopsy *a)
{
    unsigned vector = a->faulted ? a->vector : 14;
    struct walk w;

    fprintf(out, "Cause: ");
    if (!walk(a->vcpu->vm, &a->sregs, a->sregs.cs.base + a->regs.rip, WALK_FETCH, &w))
        diagnose_fetch(out, a, &w);
    else if (a->faulted && vector == 14)
        diagnose_page_fault(out, a);
    else if (a->faulted)
        fprintf(out, "%s (error code 0x%" PRIx64 "): %s.\n", exception_name(vector), a->error,
                exception_meaning(vector));
    else if (!(a->sregs.efer & EFER_LMA)) {
        fprintf(out, "an exception in %s that had no handler: the guest was still starting up.\n",
                a->sregs.cr0 & CR0_PE ? "32-bit protected mode" : "real mode");
        return;
    } else
        fprintf(out, "the instruction at RIP, or the handler that it led to.\n");
    fprintf(out, "  %s could not be handled: ", exception_name(vector));
    if (!diagnose_delivery(out, a, vector))
        fprintf(out, "its handler was entered and died itself.\n");
}
