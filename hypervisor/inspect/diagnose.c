/* The cause of a death in one line, in the words of a teacher: what the instruction did, and why its
 * exception found no handler. */
#include "inspect.h"
#include "x86.h"

#define STACK_STEP  (64 * KiB) /* an access so far from RSP is one to the stack */
#define TIMER_GATE  32         /* the first gate that is no exception's */
#define FRAMES_MANY 4          /* of one place; fewer may be chance */

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
    [13] = {"#GP", "something that the CPU's protection forbids"},
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

/* Whether the CPU could enter a handler through this selector: a 64-bit code segment of ring 0, and present.
 */
static bool is_kernel_code(const struct autopsy *a, unsigned selector)
{
    uint64_t descriptor = 0;

    walk_read(a->vcpu->vm, &a->sregs, a->sregs.gdt.base + (selector & ~7u), &descriptor, 8);
    return (selector | 7) <= a->sregs.gdt.limit && (descriptor >> 40 & 0xf8) == 0x98 && descriptor >> 53 & 1;
}

/* Why the CPU could not get from the vector to its handler, into why[]. False: it could; *gate leads there.
 */
static bool gate_problem(struct autopsy *a, unsigned vector, struct gate *gate, char *why, size_t size)
{
    unsigned limit = a->sregs.idt.limit;
    struct walk w;

    if (limit < 16) {
        snprintf(why, size, "there is no IDT (limit %u)", limit);
        a->advice = "Load an IDT with LIDT before anything can fault.";
    } else if (limit < vector * 16 + 15)
        snprintf(why, size, "the IDT ends before entry %u (limit 0x%x)", vector, limit);
    else if (!gate_read(a, vector, gate)) {
        snprintf(why, size, "the IDT at %llx is not mapped", a->sregs.idt.base);
        a->broken = (struct broken){"IDT", a->sregs.idt.base + vector * 16, 0};
    } else if (!gate->present)
        snprintf(why, size, "IDT entry %u is empty (not present)", vector);
    else if (gate->type != 14 && gate->type != 15)
        snprintf(why, size, "IDT entry %u is not an interrupt or trap gate", vector);
    else if (!is_kernel_code(a, gate->selector))
        snprintf(why, size, "IDT entry %u names selector 0x%x, which is no 64-bit code segment of the GDT",
                 vector, gate->selector);
    else if (!walk(a->vcpu->vm, &a->sregs, gate->handler, WALK_FETCH, &w)) {
        snprintf(why, size, "its handler at %016lx cannot be executed", gate->handler);
        a->broken = (struct broken){"handler", gate->handler, WALK_FETCH};
    } else
        return false;
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

static bool can_push(const struct autopsy *a, uint64_t rsp)
{
    struct walk w;

    return walk(a->vcpu->vm, &a->sregs, (rsp & ~15ul) - 8, WALK_WRITE | WALK_SMAP, &w);
}

/* Where a handler raised its own exception, and was entered for that, and so on until the stack was full:
 * there lie the frames of it all, each with that RIP, and CS. 0: nowhere. */
static uint64_t repeated_fault(const struct autopsy *a)
{
    uint64_t stack[PAGE_SIZE / 8], rsp = a->regs.rsp & ~15ul;
    size_t n = walk_read(a->vcpu->vm, &a->sregs, rsp - sizeof stack, stack, sizeof stack) / 8;

    if (n < COUNT(stack)) /* not below what we know of it, so we know its end */
        n = walk_read(a->vcpu->vm, &a->sregs, rsp, stack, sizeof stack) / 8;
    for (size_t i = 0; i + 1 < n; i++) {
        unsigned frames = 0;
        for (size_t j = i; j + 1 < n; j++)
            frames += stack[j] == stack[i] && stack[j + 1] == a->sregs.cs.selector;
        if (stack[i + 1] == a->sregs.cs.selector && frames >= FRAMES_MANY)
            return stack[i];
    }
    return 0;
}

/* Why the CPU could not deliver exception `vector`: the second half of the line. */
static void diagnose_delivery(struct autopsy *a, unsigned vector)
{
    struct gate gate;
    uint64_t rsp, rip;
    char why[160];

    if (gate_problem(a, vector, &gate, why, sizeof why))
        fprintf(a->out, "; %s", why);
    else if ((rip = repeated_fault(a)))
        fprintf(a->out,
                "; its handler raised one itself, at %016lx, again and again until the stack was full", rip);
    else if (!handler_stack(a, &gate, &rsp))
        fprintf(a->out, "; the handler's stack is in the TSS, and there is no usable TSS (TR limit 0x%x)",
                a->sregs.tr.limit);
    else if (can_push(a, rsp))
        fprintf(a->out, "; its handler was entered and died itself");
    else if (keeps_stack(a, &gate))
        fprintf(a->out, "; its handler has only the stack in use, RSP %lx", rsp);
    else {
        fprintf(a->out, "; its handler's stack in the TSS, %lx, is not usable", rsp);
        a->broken = (struct broken){"stack", (rsp & ~15ul) - 8, WALK_WRITE | WALK_SMAP};
    }
}

/* How the walk ends: "PT[142] NOT PRESENT". */
static void print_end(const struct autopsy *a, const struct walk *w)
{
    if (w->count)
        fprintf(a->out, "%s[%u] ", w->levels[w->count - 1].name, w->levels[w->count - 1].index);
    fprintf(a->out, "%s", w->why ?: "allows it: does the CPU use an old translation (TLB)?");
}

/* Whether the tables were switched by the instruction before RIP: one to CR3, or one to CR0 that starts
 * paging. Its own address leads nowhere now, but there the code lies below its virtual address, if anywhere.
 */
static bool tables_are_new(const struct autopsy *a)
{
    const uint8_t *code = guest_ptr(a->vcpu->vm, (a->sregs.cs.base + a->regs.rip) - 3, 3);

    return code && code[0] == 0x0f && code[1] == 0x22 &&
           ((code[2] & 0xf8) == 0xd8 || (code[2] & 0xf8) == 0xc0);
}

/* The instruction could not even be fetched. */
static void diagnose_fetch(struct autopsy *a, const struct walk *w)
{
    uint64_t rip = a->sregs.cs.base + a->regs.rip;

    a->advice = "A function pointer or a return address is wrong.";
    if (w->count == 0 && w->why[0] == 'C') {
        fprintf(a->out, "bad page tables: CR3 is %llx, outside the guest's RAM", a->sregs.cr3);
        a->advice = "No address can be translated any more. CR3 takes the PHYSICAL address of the top table.";
    } else if (w->count == 0) {
        fprintf(a->out, "a jump to %016lx, which is not canonical", rip);
    } else if (rip < PAGE_SIZE) {
        fprintf(a->out, "a jump to %lx: a function pointer was NULL, or RET found an empty stack", rip);
    } else if (w->page_size && a->ring & WALK_USER && !w->user) {
        fprintf(a->out, "ring 3 jumped to %016lx, a page of the kernel (the U bit is clear)", rip);
        a->advice =
            "The kernel entered ring 3 at a wrong address, or did not give the program's pages to it.";
    } else if (w->page_size && !w->executable) {
        fprintf(a->out, "it executed data: the page of RIP %016lx has the no-execute bit (NX)", rip);
        a->advice =
            "A wrong function pointer or an overwritten return address leads there; or the page tables "
            "mark code as data.";
    } else if (w->page_size) {
        fprintf(a->out, "SMEP: the kernel executed %016lx, a page of ring 3 (CR4 bit 20 forbids it)", rip);
        a->advice =
            "To run a program, enter ring 3 (IRETQ or SYSRET); the kernel's own code belongs into pages "
            "whose U bit is clear.";
    } else if (tables_are_new(a)) {
        fprintf(a->out, "the page tables just loaded do not map the code that loads them, at %lx: ", rip);
        print_end(a, w);
        a->advice = "The CPU goes on at the next address, in the new tables: map the code there in both.";
    } else {
        fprintf(a->out, "a jump to %016lx, where no code is: ", rip);
        print_end(a, w);
    }
}

static void diagnose_page_fault(struct autopsy *a)
{
    uint64_t rsp = a->regs.rsp;
    struct walk w;

    walk(a->vcpu->vm, &a->sregs, a->cr2, a->access, &w);
    if (a->ring != WALK_USER && a->cr2 - rsp + STACK_STEP < 2 * STACK_STEP && !can_push(a, rsp)) {
        bool is_zero = rsp + PAGE_SIZE < 2 * PAGE_SIZE; /* or so */
        fprintf(a->out,
                is_zero ? "the stack pointer was never set: RSP is %lx, "
                        : "stack overflow: RSP %016lx has left the stack, ",
                rsp);
        print_end(a, &w);
        a->advice = "Deep recursion or large local variables use up a stack. A handler with a stack of its "
                    "own (IST in\n"
                    "  the IDT entry, and the TSS) survives this and can report it.";
        return;
    }
    fprintf(a->out, "#PF, ring %d tried to %s %016lx%s: ", a->access & WALK_USER ? 3 : 0,
            a->access & WALK_WRITE ? "write" : "read", a->cr2, a->cr2 < PAGE_SIZE ? " (a NULL pointer)" : "");
    print_end(a, &w);
}

static const char *mode_name(const struct kvm_sregs *s)
{
    if (!(s->cr0 & CR0_PE))
        return "in real mode, ";
    if (!(s->cr0 & CR0_PG))
        return "in 32-bit protected mode, ";
    if (!(s->efer & EFER_LMA))
        return "in 32-bit mode (paging without EFER.LME), ";
    return s->cs.l ? "" : "in 32-bit code (CS is no 64-bit segment), ";
}

/* No exception is known: an interrupt came, a handler died, or (if stale) the guest did, some way behind the
 * state that is known. What then often is wrong, and has hardly changed, is the IDT. */
static void diagnose_unknown(struct autopsy *a)
{
    bool may_be_irq = a->regs.rflags & RFLAGS_IF;
    struct gate gate;
    char why[160];

    if (gate_problem(a, PAGE_FAULT, &gate, why, sizeof why) ||
        (may_be_irq && gate_problem(a, TIMER_GATE, &gate, why, sizeof why)))
        fprintf(a->out, "an %sexception had no handler: %s", may_be_irq ? "interrupt or " : "", why);
    else if (!a->stale)
        fprintf(a->out, "the handler that the instruction at RIP led to died itself");
    else {
        fprintf(a->out, "not found, too far behind its last exit; run it again with --step-after %lu",
                a->vcpu->exit_count - 1);
        a->advice = "Then its last instructions are seen one by one.";
    }
}

/* Before long mode, the exception cannot be tried out. */
static void diagnose_start(const struct autopsy *a)
{
    if (!print_violation(a))
        fprintf(a->out, "an exception");
    fprintf(a->out, "; the guest was still starting up and had no handler");
}

void diagnose(struct autopsy *a)
{
    const char *name = exceptions[a->vector].name ?: "an exception", *meaning = exceptions[a->vector].meaning;
    uint64_t rip = a->sregs.cs.base + a->regs.rip;
    bool is_long = a->sregs.efer & EFER_LMA;
    struct walk w;

    fprintf(a->out, "%s", mode_name(&a->sregs));
    if (!walk(a->vcpu->vm, &a->sregs, rip, WALK_FETCH | a->ring, &w))
        diagnose_fetch(a, &w);
    else if (!is_long)
        diagnose_start(a);
    else if (!a->faulted)
        diagnose_unknown(a);
    else if (a->vector == PAGE_FAULT)
        diagnose_page_fault(a);
    else if (fprintf(a->out, "%s, ", name) && (a->vector != 13 || !print_violation(a)))
        fprintf(a->out, "%s", meaning ?: "which is rare");
    if (is_long && a->faulted)
        diagnose_delivery(a, a->vector);
}
