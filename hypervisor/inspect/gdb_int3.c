/*
 * INT3 where KVM does not report it, and the guest's own IDT gets it (software-emulated CPUs): the guest's
 * #BP handler begins with an instruction that always exits. When it does, the CPU has pushed five words and
 * changed nothing else that they do not tell; from them we make the state before the INT3. Where the kernel
 * is on a stack that takes no frame, as behind SYSCALL, the words need another stack: one of those that the
 * guest keeps for emergencies (§6.14.5) is borrowed. A guest without any cannot be stopped there.
 */
#include "gdb.h"
#include "inspect.h"
#include "x86.h"

#define TRAP_PORT          0xb5 /* nobody's; out %al, $imm8 is e6 and the port */
#define TRAP_SIZE          2
#define GATE_TYPE          7 /* and one bit: interrupt (14) or trap gate (15) */
#define GATE_IST           4 /* the byte with the number of a stack in the TSS, 1 to 7; 0: none */
#define DESCRIPTOR_PRESENT (1ul << 47)
#define TSS_RSP0           4 /* Intel SDM 3A §7.7 */
#define TSS_IST            28
#define STEPS_MAX          8     /* kicks may come between */
#define FETCH_STEPS        20000 /* several times what Linux needs for a page that is in memory */

static const uint8_t trap[TRAP_SIZE] = {0xe6, TRAP_PORT};

/* What the CPU pushes in long mode, lowest address first (Intel SDM 3A §6.14.2). */
struct interrupt_frame {
    uint64_t rip, cs, rflags, rsp, ss;
};

static bool gate_read(struct vm *vm, const struct kvm_sregs *sregs, unsigned vector, uint64_t *gate)
{
    return sregs->efer & EFER_LMA && sregs->idt.limit >= vector * 16 + 15 &&
           gdb_memory(vm, sregs, sregs->idt.base + vector * 16, gate, 16, false) == 16 && gate[0] >> 47 & 1 &&
           (gate[0] >> 41 & 7) == GATE_TYPE;
}

/* Find the handler in the guest's IDT (§6.14.1). Returns false while there is none that could run. */
static bool find_handler(struct vm *vm, const struct kvm_sregs *sregs, unsigned vector, uint64_t *gva,
                         uint64_t *gpa)
{
    uint64_t gate[2];
    struct walk w;

    if (!gate_read(vm, sregs, vector, gate))
        return false;
    *gva = (gate[0] & 0xffff) | (gate[0] >> 48) << 16 | gate[1] << 32;
    bool there = walk(vm, sregs, *gva, WALK_FETCH, &w);
    *gpa = w.gpa;
    return there && guest_ptr(vm, *gpa, TRAP_SIZE) && *gva % PAGE_SIZE <= PAGE_SIZE - TRAP_SIZE;
}

/* ---- The stack that is borrowed ---- */

/* Where the words of a frame on stack 1 to 7 of the TSS begin; 0: there is no such stack. */
static uint64_t frame_on(struct vm *vm, const struct kvm_sregs *sregs, unsigned stack)
{
    uint64_t top = 0;
    struct walk w;

    gdb_memory(vm, sregs, sregs->tr.base + TSS_IST + stack * 8, &top, sizeof top, false);
    top = (top & ~15ul) - sizeof(struct interrupt_frame);
    return stack && walk(vm, sregs, top, WALK_WRITE, &w) && w.is_ram ? top : 0;
}

/* The stack of an exception that does not come: a machine check, or else the one that a kernel dies of. */
static unsigned spare_stack(struct vm *vm, const struct kvm_sregs *sregs)
{
    static const unsigned vectors[] = {MC_VECTOR, DF_VECTOR};
    uint64_t gate[2];

    for (unsigned i = 0; i < COUNT(vectors); i++)
        if (gate_read(vm, sregs, vectors[i], gate) && frame_on(vm, sregs, gate[0] >> 32 & 7))
            return gate[0] >> 32 & 7;
    return 0;
}

static void stack_give_back(struct vm *vm)
{
    uint8_t *ist = gdb.spare_stack.number ? guest_ptr(vm, gdb.spare_stack.gpa, 1) : NULL;

    if (ist && *ist == gdb.spare_stack.number)
        *ist = 0;
    gdb.spare_stack.number = 0;
}

/* Have INT3 pushed there, unless the guest has an own idea of where. */
static void stack_borrow(struct vm *vm, const struct kvm_sregs *sregs)
{
    struct walk w;

    bool found = walk(vm, sregs, sregs->idt.base + BP_VECTOR * 16 + GATE_IST, 0, &w) && w.is_ram;
    uint8_t *ist = found ? guest_ptr(vm, w.gpa, 1) : NULL;
    if (!ist || *ist)
        return; /* or it is ours already */
    stack_give_back(vm);
    gdb.spare_stack.gpa = w.gpa;
    *ist = gdb.spare_stack.number = (uint8_t)spare_stack(vm, sregs);
}

/* An INT3 of the guest's own: its frame, where it would be without us (§6.14.4). */
static void stack_correct(struct vm *vm, struct kvm_regs *regs, const struct kvm_sregs *sregs)
{
    struct interrupt_frame f;

    if (!gdb.spare_stack.number || regs->rsp != frame_on(vm, sregs, gdb.spare_stack.number) ||
        gdb_memory(vm, sregs, regs->rsp, &f, sizeof f, false) != sizeof f)
        return;
    uint64_t top = f.rsp;
    if (f.cs & 3)
        gdb_memory(vm, sregs, sregs->tr.base + TSS_RSP0, &top, sizeof top, false);
    top = (top & ~15ul) - sizeof f;
    if (gdb_memory(vm, sregs, top, &f, sizeof f, true) == sizeof f)
        regs->rsp = top;
}

/* ---- Handlers ---- */

static void handler_take_out(struct vm *vm, struct gdb_handler *h)
{
    uint8_t *bytes = h->planted ? guest_ptr(vm, h->gpa, TRAP_SIZE) : NULL;

    if (bytes && memcmp(bytes, trap, TRAP_SIZE) == 0)
        memcpy(bytes, h->before, TRAP_SIZE);
    h->planted = false;
}

static bool handler_plant(struct vm *vm, const struct kvm_sregs *sregs, unsigned vector,
                          struct gdb_handler *h)
{
    uint64_t gva, gpa;

    if (!find_handler(vm, sregs, vector, &gva, &gpa))
        return false;
    if (h->planted && h->gpa == gpa)
        return true;
    handler_take_out(vm, h); /* the guest has got another IDT */
    uint8_t *bytes = guest_ptr(vm, gpa, TRAP_SIZE);
    *h = (struct gdb_handler){.planted = true, .gva = gva, .gpa = gpa};
    memcpy(h->before, bytes, TRAP_SIZE);
    memcpy(bytes, trap, TRAP_SIZE);
    return true;
}

bool int3_plant(struct vcpu *vcpu, const struct kvm_sregs *sregs)
{
    if (!handler_plant(vcpu->vm, sregs, BP_VECTOR, &gdb.int3_handler))
        return false;
    stack_borrow(vcpu->vm, sregs);
    return true;
}

void faults_plant(struct vcpu *vcpu, const struct kvm_sregs *sregs, bool wanted)
{
    if (wanted)
        handler_plant(vcpu->vm, sregs, PF_VECTOR, &gdb.fault_handler);
    else
        handler_take_out(vcpu->vm, &gdb.fault_handler);
}

void int3_take_out(struct vm *vm)
{
    handler_take_out(vm, &gdb.int3_handler);
    handler_take_out(vm, &gdb.fault_handler);
    stack_give_back(vm);
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

/* The handler goes on behind the instruction that we had replaced. */
static void pass_on(struct vcpu *vcpu, struct kvm_regs *regs, struct gdb_handler *h)
{
    struct vm *vm = vcpu->vm;

    regs->rip = h->gva;
    ioctl(vcpu->fd, KVM_SET_REGS, regs);
    pthread_mutex_lock(&vm->lock);
    handler_take_out(vm, h); /* break_plant() puts it back */
    vcpu->run->immediate_exit = 0;
    single_step(vcpu, true);
    for (unsigned i = 0; i < STEPS_MAX && vcpu_enter(vcpu) < 0; i++)
        vcpu->run->immediate_exit = 0;
    pthread_mutex_unlock(&vm->lock);
}

/* Returns whether the INT3 was one of ours. */
static bool int3_delivered(struct vcpu *vcpu, struct kvm_regs *regs, struct kvm_sregs *sregs)
{
    struct interrupt_frame frame = {0};

    bool ours = walk_read(vcpu->vm, sregs, regs->rsp, &frame, sizeof frame) == sizeof frame &&
                break_at(frame.rip - 1);
    if (gdb.has_stepped)
        frame.rflags &= ~RFLAGS_TF; /* it was ours, as in unwanted_step() */
    if (ours) {
        undo_delivery(vcpu, regs, sregs, &frame);
    } else {
        stack_correct(vcpu->vm, regs, sregs);
        pass_on(vcpu, regs, &gdb.int3_handler);
    }
    return ours;
}

/* A program needs a page, perhaps that of a breakpoint. We look again when it goes on: behind its next
 * instruction, by the trap flag that it will load; or before, if the breakpoint is that instruction. */
static void fault_delivered(struct vcpu *vcpu, struct kvm_regs *regs, const struct kvm_sregs *sregs)
{
    struct {
        uint64_t error;
        struct interrupt_frame frame;
    } pushed = {0};
    struct gdb_vcpu *v = &gdb.vcpus[vcpu->id];

    if (gdb_memory(vcpu->vm, sregs, regs->rsp, &pushed, sizeof pushed, false) == sizeof pushed &&
        pushed.frame.cs & 3) {
        v->fetching = break_at(pushed.frame.rip) ? FETCH_STEPS : 0;
        v->away = v->stepping;
        gdb.has_stepped = true;
        pushed.frame.rflags |= RFLAGS_TF;
        gdb_memory(vcpu->vm, sregs, regs->rsp, &pushed, sizeof pushed, true);
    }
    pass_on(vcpu, regs, &gdb.fault_handler);
}

/* Whether our instruction has just been executed. Meanwhile another vCPU may have taken it out. */
static bool is_behind(const struct gdb_handler *h, uint64_t rip)
{
    return h->gva && rip == h->gva + TRAP_SIZE && memcmp(h->before, trap, TRAP_SIZE) != 0;
}

bool int3_arrived(struct vcpu *vcpu, bool *ours)
{
    const struct kvm_run *run = vcpu->run;
    struct kvm_sregs sregs;
    struct kvm_regs regs;

    if (run->exit_reason != KVM_EXIT_IO || run->io.port != TRAP_PORT ||
        run->io.direction != KVM_EXIT_IO_OUT || !(gdb.int3_handler.gva || gdb.fault_handler.gva))
        return false;
    vcpu->run->immediate_exit = 1; /* first the OUT must end; then registers may be written */
    vcpu_enter(vcpu);
    ioctl(vcpu->fd, KVM_GET_REGS, &regs);
    sregs_load(vcpu, &sregs);
    bool is_int3 = is_behind(&gdb.int3_handler, regs.rip);
    bool is_fault = is_behind(&gdb.fault_handler, regs.rip);
    *ours = is_int3 && int3_delivered(vcpu, &regs, &sregs);
    if (is_fault)
        fault_delivered(vcpu, &regs, &sregs);
    if (is_int3 || is_fault)
        vcpu->run->immediate_exit = 1; /* a kick may have been lost: vcpu_thread() looks */
    return is_int3 || is_fault;
}
