/*
 * What single-stepping by the trap flag cannot do. KVM sets RFLAGS.TF for a step; but SYSCALL saves RFLAGS in
 * R11 and clears TF, so that no trap comes in the kernel, and SYSRET loads the RFLAGS that were saved,
 * without it (Intel SDM 2B "SYSCALL", "SYSRET"). So we do for the CPU what these two do.
 */
#include "gdb.h"
#include "inspect.h"
#include "x86.h"

#define SYSRET_KEEPS 0x3c7fd7ul /* of R11 */
#define STAR_SYSCALL 32         /* shifts of its two selectors */
#define STAR_SYSRET  48
#define PUSHF        0x9c

static void do_syscall(struct gdb_registers *r)
{
    unsigned selector = r->msrs[GDB_STAR] >> STAR_SYSCALL & 0xfffc;

    r->regs.rcx = r->regs.rip + 2;
    r->regs.r11 = r->regs.rflags & ~RFLAGS_RF;
    r->regs.rip = r->msrs[GDB_LSTAR];
    r->regs.rflags &= ~(r->msrs[GDB_SFMASK] | RFLAGS_RF);
    r->sregs.cs = segment_from((uint16_t)selector, FLAT_CODE);
    r->sregs.ss = segment_from((uint16_t)(selector + 8), FLAT_DATA);
}

static void do_sysret(struct gdb_registers *r)
{
    unsigned selector = r->msrs[GDB_STAR] >> STAR_SYSRET | 3;

    r->regs.rip = r->regs.rcx;
    r->regs.rflags = (r->regs.r11 & SYSRET_KEEPS) | 2;
    r->sregs.cs = segment_from((uint16_t)(selector + 16), FLAT_CODE);
    r->sregs.ss = segment_from((uint16_t)(selector + 8), FLAT_DATA);
}

/* SYSRET to an address that is not canonical is a fault, which is the CPU's business. */
bool step_by_hand(struct vcpu *vcpu, const struct cpu_state *s)
{
    struct gdb_registers old, new;
    uint8_t code[3] = {0};

    gdb_memory(vcpu->vm, &s->sregs, s->sregs.cs.base + s->regs.rip, code, sizeof code, false);
    bool is_syscall = memcmp(code, "\x0f\x05", 2) == 0;
    bool is_sysret = memcmp(code, "\x48\x0f\x07", 3) == 0 && !(s->sregs.cs.selector & 3);
    gdb.vcpus[vcpu->id].pushes_flags = code[0] == PUSHF;
    if (!(is_syscall || (is_sysret && is_canonical(&s->sregs, s->regs.rcx))) || !s->sregs.cs.l ||
        !(s->sregs.efer & EFER_SCE) || registers_load(vcpu, &old) < 0)
        return false;
    new = old;
    if (is_syscall)
        do_syscall(&new);
    else
        do_sysret(&new);
    return registers_store(vcpu, &old, &new) == 0;
}

void step_clean_flags(struct vcpu *vcpu, const struct cpu_state *s)
{
    uint64_t pushed;

    if (!gdb.vcpus[vcpu->id].pushes_flags ||
        gdb_memory(vcpu->vm, &s->sregs, s->regs.rsp, &pushed, sizeof pushed, false) != sizeof pushed)
        return;
    pushed &= ~RFLAGS_TF;
    gdb_memory(vcpu->vm, &s->sregs, s->regs.rsp, &pushed, sizeof pushed, true);
}
