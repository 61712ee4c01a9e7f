/* What the instruction at RIP does that the CPU forbids. The error code of a #GP says little: mostly 0. */
#include "inspect.h"
#include "x86.h"

/* The instruction, cut into the pieces of Intel SDM 2A §2.1. */
struct code {
    uint8_t bytes[16];
    unsigned rex, opcode; /* 0x0f30: the two bytes 0f 30 */
    uint8_t modrm;        /* what follows the opcode, whether it is one or not */
    const uint8_t *rest;
};

static void code_read(const struct autopsy *a, struct code *c)
{
    const uint8_t *p = c->bytes;

    *c = (struct code){0};
    walk_read(a->vcpu->vm, &a->sregs, a->sregs.cs.base + a->regs.rip, c->bytes, 12);
    while (p < c->bytes + 6 && memchr("\x66\x67\xf2\xf3\x2e\x36\x3e\x26\x64\x65", *p, 10))
        p++;
    if (a->sregs.cs.l && (*p & 0xf0) == 0x40)
        c->rex = *p++;
    c->opcode = *p++;
    if (c->opcode == 0x0f)
        c->opcode = 0x0f00u | *p++;
    c->modrm = *p++;
    c->rest = p;
}

/* A general register by its number in an instruction. */
static uint64_t reg(const struct autopsy *a, unsigned number)
{
    static const uint8_t order[8] = {0, 2, 3, 1,
                                     6, 7, 4, 5}; /* struct kvm_regs has RAX, RBX, RCX, RDX, RSI, ... */
    const unsigned long long *values = &a->regs.rax;

    return values[number < 8 ? order[number] : number];
}

/* The address that the instruction's operand in memory has (Intel SDM 2A §2.1.5, in 64-bit mode), but for FS
 * and GS. */
static uint64_t operand_address(const struct autopsy *a, const struct code *c)
{
    unsigned mod = c->modrm >> 6, rm = c->modrm & 7, sib = *c->rest;
    const uint8_t *displacement = c->rest + (rm == 4);
    bool without_base = mod == 0 && (rm == 5 || (rm == 4 && (sib & 7) == 5));
    uint64_t addr = without_base ? 0 : reg(a, (rm == 4 ? sib & 7 : rm) | (c->rex & 1) << 3);
    int32_t word;

    memcpy(&word, displacement, sizeof word);
    if (rm == 4 && ((sib >> 3 & 7) != 4 || c->rex & 2))
        addr += reg(a, (sib >> 3 & 7) | (c->rex & 2) << 2) << (sib >> 6);
    return addr + (uint64_t)(int64_t)(mod == 1 ? (int8_t)*displacement : mod == 2 || without_base ? word : 0);
}

static const char *control_problem(const struct autopsy *a, unsigned number, uint64_t value)
{
    const struct kvm_sregs *s = &a->sregs;

    if (number == 0 && value & CR0_PG && !(value & CR0_PE))
        return "paging needs protected mode (PE)";
    if (number == 0 && value & CR0_PG && s->efer & EFER_LME && !(s->cr4 & CR4_PAE))
        return "paging in long mode needs CR4.PAE";
    if (number == 4 && s->efer & EFER_LMA && !(value & CR4_PAE))
        return "long mode needs PAE";
    return "a bit that this CPU does not have, or not with the others";
}

/* Whether only ring 0 may execute it (or, for port I/O, CLI and STI, those whom IOPL lets). */
static bool is_privileged(const struct code *c)
{
    static const char one[] = "\xf4\xfa\xfb\xe4\xe5\xe6\xe7\xec\xed\xee\xef\x6c\x6d\x6e\x6f",
                      two[] = "\x01\x06\x07\x08\x09\x20\x21\x22\x23\x30\x32";

    return c->opcode < 0x100 ? memchr(one, (int)c->opcode, sizeof one - 1) != NULL
                             : memchr(two, (int)c->opcode & 0xff, sizeof two - 1) != NULL;
}

/* MOVAPS and MOVDQA and the like: their operand is a multiple of 16. */
static bool wants_alignment(const struct code *c)
{
    return c->opcode == 0x0f28 || c->opcode == 0x0f29 || c->opcode == 0x0f6f || c->opcode == 0x0f7f;
}

/* The selector or the vector that a #GP's error code names (Intel SDM 3A §6.13). */
static void print_error_code(const struct autopsy *a)
{
    unsigned selector = a->error & 0xfff8;

    if (a->error & 2)
        fprintf(a->out, "vector %u has no IDT entry that allows it", selector / 8);
    else if (selector > a->sregs.gdt.limit)
        fprintf(a->out, "selector 0x%x is beyond the GDT (limit 0x%x)", selector, a->sregs.gdt.limit);
    else
        fprintf(a->out, "selector 0x%x names a descriptor that is not for this", selector);
}

bool print_violation(const struct autopsy *a)
{
    uint64_t frame[5] = {0}; /* of IRETQ: RIP, CS, RFLAGS, RSP, SS; of RET only the first */
    struct code c;

    code_read(a, &c);
    unsigned control = c.modrm >> 3 & 7;
    bool in_memory = a->sregs.cs.l && c.modrm >> 6 != 3;
    uint64_t value = in_memory ? operand_address(a, &c) : reg(a, (c.modrm & 7) | (c.rex & 1) << 3);
    walk_read(a->vcpu->vm, &a->sregs, a->regs.rsp, frame, sizeof frame);
    if (a->faulted && a->error)
        print_error_code(a);
    else if (a->sregs.cs.selector & 3 && is_privileged(&c))
        fprintf(a->out, "ring 3 executed an instruction that only ring 0 may");
    else if (c.opcode == 0x0f22)
        fprintf(a->out, "CR%u cannot be %lx: %s", control, value, control_problem(a, control, value));
    else if (c.opcode == 0x0f30 || c.opcode == 0x0f32)
        fprintf(a->out, "%s MSR 0x%llx, which this CPU does not have, or not with that value",
                c.opcode == 0x0f30 ? "WRMSR to" : "RDMSR of", a->regs.rcx & 0xffffffff);
    else if (c.opcode == 0xcf && a->sregs.cs.l)
        fprintf(a->out, "IRETQ to CS 0x%lx, RIP %lx, SS 0x%lx, RSP %lx", frame[1], frame[0], frame[4],
                frame[3]);
    else if (c.opcode == 0xc3 && !is_canonical(&a->sregs, frame[0]))
        fprintf(a->out, "RET to %016lx, which is not canonical", frame[0]);
    else if ((in_memory || c.opcode == 0xff) && !is_canonical(&a->sregs, value))
        fprintf(a->out, "the address %016lx is not canonical", value);
    else if (in_memory && wants_alignment(&c) && value & 15)
        fprintf(a->out, "the address %016lx is not a multiple of 16, as this SSE instruction wants it",
                value);
    else
        return false;
    return true;
}
