/*
 * INT3 where KVM does not report it, and the guest's own IDT gets it (software-emulated CPUs): the guest's
 * #BP handler begins with an instruction that always exits. When it does, the CPU has pushed five words and
 * changed nothing else that they do not tell; from them we make the state before the INT3. What this cannot
 * do: break where the kernel is on a stack that takes no frame, as just before SYSRET.
 */
#include "gdb.h"
#include "inspect.h"
#include "x86.h"

#define TRAP_PORT          0xb5 /* nobody's; out %al, $imm8 is e6 and the port */
#define TRAP_SIZE          2
#define GATE_TYPE          7 /* and one bit: interrupt (14) or trap gate (15) */
#define DESCRIPTOR_PRESENT (1ul << 47)
#define STEPS_MAX          8 /* kicks may come between */

static const uint8_t trap[TRAP_SIZE] = {0xe6, TRAP_PORT};

/* What the CPU pushes in long mode, lowest address first (Intel SDM 3A §6.14.2). */
struct interrupt_frame {
    uint64_t rip, cs, rflags, rsp, ss;
};

/* Find the handler in the guest's IDT (§6.14.1). Returns false while there is none that could run. */
static bool find_handler(struct vm *vm, const struct kvm_sregs *sregs, uint64_t *gva, uint64_t *gpa)
{
    uint64_t gate[2];
    struct walk w;

    if (!(sregs->efer & EFER_LMA) || sregs->idt.limit < BP_VECTOR * 16 + 15 ||
        gdb_memory(vm, sregs, sregs->idt.base + BP_VECTOR * 16, gate, 16, false) != 16 ||
        !(gate[0] >> 47 & 1) || (gate[0] >> 41 & 7) != GATE_TYPE)
        return false;
    *gva = (gate[0] & 0xffff) | (gate[0] >> 48) << 16 | gate[1] << 32;
    bool there = walk(vm, sregs, *gva, WALK_FETCH, &w);
    *gpa = w.gpa;
    return there && guest_ptr(vm, *gpa, TRAP_SIZE) && *gva % PAGE_SIZE <= PAGE_SIZE - TRAP_SIZE;
}

bool int3_plant(struct vcpu *vcpu, const struct kvm_sregs *sregs)
{
    struct vm *vm = vcpu->vm;
    uint64_t gva, gpa;

    if (!find_handler(vm, sregs, &gva, &gpa))
        return false;
    if (gdb.handler.planted && gdb.handler.gpa == gpa)
        return true;
    int3_take_out(vm); /* the guest has got another IDT */
    uint8_t *bytes = guest_ptr(vm, gpa, TRAP_SIZE);
    gdb.handler.planted = true;
    gdb.handler.gva = gva;
    gdb.handler.gpa = gpa;
    memcpy(gdb.handler.before, bytes, TRAP_SIZE);
    memcpy(bytes, trap, TRAP_SIZE);
    return true;
}

void int3_take_out(struct vm *vm)
{
    uint8_t *bytes = gdb.handler.planted ? guest_ptr(vm, gdb.handler.gpa, TRAP_SIZE) : NULL;

    if (bytes && memcmp(bytes, trap, TRAP_SIZE) == 0)
        memcpy(bytes, gdb.handler.before, TRAP_SIZE);
    gdb.handler.planted = false;
}

/* What the CPU loaded from the guest's GDT. If that is not there any more, it was what 64-bit kernels have
 * there: with a segment of zeros KVM would not run the guest again. */
static struct kvm_segment segment_load(struct vm *vm, const struct kvm_sregs *sregs, uint64_t selector,
                                       uint64_t flat)
{
    uint64_t descriptor = 0;

    if (selector & ~7ul) {
        walk_read(vm, sregs, sregs->gdt.base + (selector & 0xfff8), &descriptor, sizeof descriptor);
        descriptor = descriptor & DESCRIPTOR_PRESENT ? descriptor : flat;
    }
    return segment_from((uint16_t)selector, descriptor);
}

static void undo_delivery(struct vcpu *vcpu, struct kvm_regs *regs, struct kvm_sregs *sregs,
                          const struct interrupt_frame *f)
{
    regs->rip = f->rip - 1;
    regs->rsp = f->rsp;
    regs->rflags = f->rflags;
    sregs->cs = segment_load(vcpu->vm, sregs, f->cs, FLAT_CODE);
    sregs->ss = segment_load(vcpu->vm, sregs, f->ss, FLAT_DATA);
    ioctl(vcpu->fd, KVM_SET_SREGS, sregs);
    ioctl(vcpu->fd, KVM_SET_REGS, regs);
}

/* An INT3 of the guest's own: its handler goes on behind the instruction that we had replaced. */
static void pass_on(struct vcpu *vcpu, struct kvm_regs *regs)
{
    struct vm *vm = vcpu->vm;

    regs->rip = gdb.handler.gva;
    ioctl(vcpu->fd, KVM_SET_REGS, regs);
    pthread_mutex_lock(&vm->lock);
    int3_take_out(vm); /* break_plant() puts it back */
    vcpu->run->immediate_exit = 0;
    single_step(vcpu, true);
    for (unsigned i = 0; i < STEPS_MAX && vcpu_enter(vcpu) < 0; i++)
        vcpu->run->immediate_exit = 0;
    pthread_mutex_unlock(&vm->lock);
}

bool int3_arrived(struct vcpu *vcpu, bool *ours)
{
    const struct kvm_run *run = vcpu->run;
    struct interrupt_frame frame;
    struct kvm_sregs sregs;
    struct kvm_regs regs;

    if (!gdb.handler.planted || run->exit_reason != KVM_EXIT_IO || run->io.port != TRAP_PORT ||
        run->io.direction != KVM_EXIT_IO_OUT)
        return false;
    vcpu->run->immediate_exit = 1; /* first the OUT must end; then registers may be written */
    vcpu_enter(vcpu);
    ioctl(vcpu->fd, KVM_GET_REGS, &regs);
    ioctl(vcpu->fd, KVM_GET_SREGS, &sregs);
    if (regs.rip != gdb.handler.gva + TRAP_SIZE)
        return false;
    *ours = walk_read(vcpu->vm, &sregs, regs.rsp, &frame, sizeof frame) == sizeof frame &&
            break_at(frame.rip - 1);
    if (*ours)
        undo_delivery(vcpu, &regs, &sregs, &frame);
    else
        pass_on(vcpu, &regs);
    vcpu->run->immediate_exit = 1; /* a kick may have been lost: vcpu_thread() looks */
    return true;
}
