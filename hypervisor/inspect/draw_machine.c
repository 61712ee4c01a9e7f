/* The control socket's commands "vcpus", "devices" and "walk": what a machine consists of, and where its CPUs
 * are. */
#include "control.h"
#include "inspect.h"
#include "x86.h"

static const char *mode_name(const struct kvm_sregs *s)
{
    if (s->efer & EFER_LMA)
        return s->cs.l ? "64-bit mode" : "compatibility mode";
    return !(s->cr0 & CR0_PE) ? "real mode" : s->cr0 & CR0_PG ? "protected mode, paging" : "protected mode";
}

static const char *doing(struct vcpu *vcpu)
{
    struct kvm_mp_state state;

    if (ioctl(vcpu->fd, KVM_GET_MP_STATE, &state) < 0)
        return "runs";
    return state.mp_state == KVM_MP_STATE_RUNNABLE ? "runs"
           : state.mp_state == KVM_MP_STATE_HALTED ? "sleeps (HLT)"
                                                   : "waits for another CPU to start it";
}

static void draw_vcpu(FILE *out, struct vcpu *vcpu, const struct symbols *symbols)
{
    struct kvm_sregs s;
    struct kvm_regs r;

    if (ioctl(vcpu->fd, KVM_GET_REGS, &r) < 0 || ioctl(vcpu->fd, KVM_GET_SREGS, &s) < 0)
        return;
    fprintf(out, "vCPU %u  %s, ring %u, %s, interrupts %s, %lu exits so far\n", vcpu->id, doing(vcpu),
            s.cs.selector & 3u, mode_name(&s), r.rflags & RFLAGS_IF ? "on" : "off", vcpu->exit_count);
    fputs("  RIP ", out);
    symbols_print(out, symbols, r.rip);
    fputs("\n  RSP ", out);
    symbols_print(out, symbols, r.rsp);
    fprintf(out, "\n  RAX %016llx  RBX %016llx  RCX %016llx  RDX %016llx\n", r.rax, r.rbx, r.rcx, r.rdx);
    fprintf(out, "  RSI %016llx  RDI %016llx  RBP %016llx  CR3 %016llx\n", r.rsi, r.rdi, r.rbp, s.cr3);
    fprintf(out, "  CR0 %016llx  CR2 %016llx  CR4 %016llx\n", s.cr0, s.cr2, s.cr4);
}

static bool draw_vcpus(struct vm *vm, const char *const *arguments, FILE *out)
{
    struct symbols symbols;

    (void)arguments;
    symbols_load(&symbols, vm->kernel_fd);
    for (unsigned i = 0; i < vm->cpus; i++)
        draw_vcpu(out, vm->vcpus[i], &symbols);
    symbols_free(&symbols);
    return true;
}

CONTROL(vcpus) = {"vcpus", "", "where each vCPU is, and its registers", draw_vcpus};

static void draw_bus(FILE *out, const struct bus *bus, const char *title)
{
    fprintf(out, "%s\n", title);
    for (const struct bus_claim *c = bus->claims; c < bus->claims + bus->count; c++)
        fprintf(out, "  %8lx-%-8lx %-16s %10lu accesses\n", c->base, c->base + c->size - 1, c->name,
                c->accesses);
}

static bool draw_devices(struct vm *vm, const char *const *arguments, FILE *out)
{
    (void)arguments;
    draw_bus(out, &vm->ports, "ports");
    draw_bus(out, &vm->mmio, "addresses");
    return true;
}

CONTROL(devices) = {"devices", "", "who answers at which address, and how often it did", draw_devices};

static void draw_level(FILE *out, const struct walk_level *l, unsigned depth)
{
    fprintf(out, "%*s%s %s[%u]  at %lx holds %016lx", 2 * (int)depth, "", depth ? "->" : "", l->name,
            l->index, l->entry_gpa, l->entry);
    fprintf(out, "  %s%s%s%s\n", l->entry & PTE_P ? "present" : "not present",
            l->entry & PTE_W ? " writable" : "", l->entry & PTE_U ? " user" : "",
            l->entry & PTE_NX ? " no-execute" : "");
}

static bool draw_walk(struct vm *vm, const char *const *arguments, FILE *out)
{
    struct vcpu *vcpu = control_vcpu(vm, arguments[1], out);
    struct kvm_sregs sregs;
    uint64_t gva;
    struct walk w;

    if (!vcpu)
        return false;
    if (!arguments[0][0] || !control_number(arguments[0], 0, &gva))
        return fputs("walk needs an address, as in: walk 0xffffffff80100000", out), false;
    if (ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) < 0)
        return fputs("KVM does not tell the registers", out), false;
    walk(vm, &sregs, gva, 0, &w);
    fprintf(out, "%016lx on vCPU %u, CR3 %llx\n", gva, vcpu->id, sregs.cr3);
    for (unsigned i = 0; i < w.count; i++)
        draw_level(out, &w.levels[i], i);
    walk_print(out, &w);
    return true;
}

CONTROL(walk_control) = {"walk", "ADDRESS [VCPU]", "how an address of the guest's is translated", draw_walk};
