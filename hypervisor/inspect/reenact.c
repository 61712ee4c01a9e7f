/*
 * The last state of a guest that died of a triple fault. Intel CPUs leave it in place. On AMD, KVM resets the
 * vCPU, so the guest's last steps are played again: from the registers of the last exit, one instruction at a
 * time.
 */
#include <cpuid.h>
#include "inspect.h"
#include "x86.h"

#define TIME_MAX 2000000000ul /* ns for all steps */

/* AMD's VMCB holds some MSRs, and KVM clears it, too: those of SYSCALL and SWAPGS (AMD APM 2 §15.5.2). */
int reenact_prepare(struct vcpu *vcpu)
{
    static const uint32_t msrs[] = {MSR_STAR, MSR_LSTAR, MSR_CSTAR, MSR_SFMASK, MSR_KERNEL_GS_BASE};
    unsigned eax, vendor = 0, ecx, edx;

    __get_cpuid(0, &eax, &vendor, &ecx, &edx);
    if (vendor == signature_INTEL_ebx)
        return 0;
    vcpu->keeps_registers = true;
    vcpu->run->kvm_valid_regs |= KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS;
    vcpu->msrs.count = COUNT(msrs);
    for (unsigned i = 0; i < COUNT(msrs); i++)
        vcpu->msrs.entries[i].index = msrs[i];
    return 0;
}

bool is_last_access(const struct vcpu *vcpu)
{
    const struct exit_note *access = &vcpu->last[(vcpu->last_index + LAST_EXITS - 1) % LAST_EXITS];
    const struct kvm_run *run = vcpu->run;

    return (run->exit_reason == KVM_EXIT_IO && run->io.port == access->addr) ||
           (run->exit_reason == KVM_EXIT_MMIO && run->mmio.phys_addr == access->addr);
}

static void registers_get(struct autopsy *a)
{
    ioctl(a->vcpu->fd, KVM_GET_REGS, &a->regs);
    ioctl(a->vcpu->fd, KVM_GET_SREGS, &a->sregs);
}

void single_step(struct vcpu *vcpu, bool on)
{
    struct kvm_guest_debug debug = {.control = on ? KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP : 0};

    ioctl(vcpu->fd, KVM_SET_GUEST_DEBUG, &debug);
}

/* Step until the guest dies again. Returns whether it did; then *a has the registers just before. */
static bool step_to_death(struct autopsy *a)
{
    struct vcpu *vcpu = a->vcpu;
    uint64_t start = host_now();

    while (host_now() - start < TIME_MAX) {
        registers_get(a);
        single_step(vcpu, true);
        if (vcpu_enter(vcpu) < 0 && vcpu_enter(vcpu) < 0)
            return false; /* no progress: the post-mortem's timer kicked it twice */
        if (vcpu->run->exit_reason == KVM_EXIT_SHUTDOWN)
            return true;
        if (vcpu->run->exit_reason != KVM_EXIT_DEBUG && !is_last_access(vcpu))
            return false;
    }
    return false;
}

static void put_back(struct vcpu *vcpu)
{
    ioctl(vcpu->fd, KVM_SET_SREGS, &vcpu->sregs);
    ioctl(vcpu->fd, KVM_SET_REGS, &vcpu->regs);
    ioctl(vcpu->fd, KVM_SET_MSRS, &vcpu->msrs);
}

void reenact(struct autopsy *a)
{
    struct vcpu *vcpu = a->vcpu;

    registers_get(a);
    /* After a reset the CPU is about to fetch from 0xFFFFFFF0, in real mode: no guest of ours dies there. */
    bool was_reset = a->regs.rip == 0xfff0 && a->sregs.cs.base == 0xffff0000 && !(a->sregs.cr0 & CR0_PE);
    if (a->reason != KVM_EXIT_SHUTDOWN || !vcpu->keeps_registers || !was_reset)
        return;
    put_back(vcpu);
    bool died = step_to_death(a);
    single_step(vcpu, false);
    if (!died) {
        a->regs = vcpu->regs;
        a->sregs = vcpu->sregs;
        put_back(vcpu);
    }
    a->regs.rflags &= ~RFLAGS_TF; /* it was ours */
    a->stale = !died;
    a->note = died ? "KVM on AMD forgets the registers of a guest that dies; they were found by playing its "
                     "last steps again."
                   : "KVM on AMD forgets the registers of a guest that dies: what follows is the state at "
                     "its LAST EXIT.";
}
