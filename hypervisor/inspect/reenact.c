/*
 * The last state of a guest that died of a triple fault. Intel CPUs leave it in place. On AMD, KVM resets the
 * vCPU, so the guest's last steps are played again: from the registers of the last exit, one instruction at a
 * time.
 */
#include <cpuid.h>
#include <string.h>
#include <sys/ioctl.h>
#include "autopsy.h"

#define STEPS_MAX 100000 /* a few seconds at most */

int reenact_prepare(struct vcpu *vcpu)
{
    unsigned eax, vendor = 0, ecx, edx;

    __get_cpuid(0, &eax, &vendor, &ecx, &edx);
    if (vendor == signature_INTEL_ebx)
        return 0;
    vcpu->sync = vcpu->run->kvm_valid_regs = KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS;
    vcpu->run->immediate_exit = 1; /* a first return before the first instruction shows where it starts */
    return 0;
}

/* After a reset the CPU is about to fetch from 0xFFFFFFF0, in real mode: no guest of ours dies in that state.
 */
static bool was_reset(const struct autopsy *a)
{
    return a->regs.rip == 0xfff0 && a->sregs.cs.base == 0xffff0000 && !(a->sregs.cr0 & 1);
}

static void put_back(struct vcpu *vcpu, const struct kvm_sync_regs *from)
{
    ioctl(vcpu->fd, KVM_SET_SREGS, &from->sregs);
    ioctl(vcpu->fd, KVM_SET_REGS, &from->regs);
}

static void single_step(struct vcpu *vcpu, bool on)
{
    struct kvm_guest_debug debug = {.control = on ? KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP : 0};

    ioctl(vcpu->fd, KVM_SET_GUEST_DEBUG, &debug);
}

/* The exits since the registers were seen are all of one kind, and happen again; their data is still in the
 * run page. */
static bool is_last_access(const struct vcpu *vcpu)
{
    const unsigned size = sizeof vcpu->last / sizeof vcpu->last[0];
    const struct exit_note *access = &vcpu->last[(vcpu->last_index + size - 1) % size];
    const struct kvm_run *run = vcpu->run;

    return (run->exit_reason == KVM_EXIT_IO && run->io.port == access->addr) ||
           (run->exit_reason == KVM_EXIT_MMIO && run->mmio.phys_addr == access->addr);
}

/* Step until the guest dies again. Returns whether it did; then vcpu->seen_before is the state just before.
 */
static bool step_to_death(struct vcpu *vcpu)
{
    vcpu->run->kvm_valid_regs = vcpu->sync;
    for (unsigned step = 0; step < STEPS_MAX && vcpu_enter(vcpu) == 0; step++) {
        if (vcpu->run->exit_reason == KVM_EXIT_SHUTDOWN)
            return true;
        if (vcpu->run->exit_reason != KVM_EXIT_DEBUG && !is_last_access(vcpu))
            return false;
    }
    return false;
}

void reenact(struct autopsy *a)
{
    struct vcpu *vcpu = a->vcpu;

    ioctl(vcpu->fd, KVM_GET_REGS, &a->regs);
    ioctl(vcpu->fd, KVM_GET_SREGS, &a->sregs);
    if (a->reason != KVM_EXIT_SHUTDOWN || !vcpu->sync || !was_reset(a))
        return;
    struct kvm_sync_regs last_exit = vcpu->seen_before;
    put_back(vcpu, &last_exit);
    single_step(vcpu, true);
    bool died = step_to_death(vcpu);
    single_step(vcpu, false);
    if (!died)
        put_back(vcpu, &last_exit);
    const struct kvm_sync_regs *found = died ? &vcpu->seen_before : &last_exit;
    a->regs = found->regs;
    a->sregs = found->sregs;
    a->regs.rflags &= ~0x100ull; /* TF was ours */
    a->note = died ? "KVM on AMD forgets the registers of a guest that dies; they were found by playing its "
                     "last steps again."
                   : "KVM on AMD forgets the registers of a guest that dies: what follows is the state at "
                     "its LAST EXIT.";
}
