/* CPUID: what the guest's CPU says it can do: what KVM can give, that it is virtual, and which CPU of how
 * many it is. */
#include <stdlib.h>
#include "feature.h"

#define ENTRIES_MAX 256

/* Leaf 1: the CPU's number, how many there are, and that a hypervisor is there. */
static void cpuid_leaf_1(struct kvm_cpuid_entry2 *e, const struct vcpu *vcpu)
{
    const struct vm *vm = vcpu->vm;
    bool deadline = vm->irqchip && ioctl(vm->kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_TSC_DEADLINE_TIMER) > 0;

    e->ebx = (e->ebx & 0xffff) | vm->cpus << 16 | vcpu->id << 24;
    e->ecx |= 1u << 31;                 /* a hypervisor is there: look at leaf 0x40000000 */
    e->ecx |= (uint32_t)deadline << 24; /* the local APIC's timer takes a TSC value */
    e->edx = (e->edx & ~(1u << 28)) | (uint32_t)(vm->cpus > 1) << 28;
}

/* Intel SDM 2A "CPUID", AMD APM 3 appendix E: one package of `cpus` cores with one thread each. */
static void cpuid_patch(struct kvm_cpuid_entry2 *e, const struct vcpu *vcpu)
{
    const struct vm *vm = vcpu->vm;
    unsigned id_bits = vm->cpus > 1 ? 32 - (unsigned)__builtin_clz(vm->cpus - 1) : 0; /* of an APIC id */

    switch (e->function) {
    case 1:
        cpuid_leaf_1(e, vcpu);
        break;
    case 4: /* caches: cores of the package; each cache belongs to one of them */
        e->eax = (e->eax & 0x3fff) | (vm->cpus - 1) << 26;
        break;
    case 0xb: /* x2APIC ids, level 0: threads of a core, level 1: cores of the package */
    case 0x1f:
        e->eax = e->index == 1 ? id_bits : 0;
        e->ebx = e->index == 0 ? 1 : e->index == 1 ? vm->cpus : 0;
        e->ecx = e->index < 2 ? e->index | (e->index + 1) << 8 : e->index;
        e->edx = vcpu->id;
        break;
    case 0x80000008:
        e->ecx = (vm->cpus - 1) | id_bits << 12;
        break;
    case 0x8000001e:
        e->eax = e->ebx = vcpu->id;
        e->ecx = 0;
        break;
    }
}

static int cpuid_vcpu(struct vcpu *vcpu)
{
    struct kvm_cpuid2 *cpuid = calloc(1, sizeof *cpuid + ENTRIES_MAX * sizeof cpuid->entries[0]);

    if (!cpuid)
        return complain(-ENOMEM, "no memory for CPUID");
    cpuid->nent = ENTRIES_MAX;
    int err = kvm_ioctl(vcpu->vm->kvm_fd, KVM_GET_SUPPORTED_CPUID, cpuid, "tell which CPUID it supports");
    for (unsigned i = 0; err == 0 && i < cpuid->nent; i++)
        cpuid_patch(&cpuid->entries[i], vcpu);
    if (err == 0)
        err = kvm_ioctl(vcpu->fd, KVM_SET_CPUID2, cpuid, "set the vCPU's CPUID");
    free(cpuid);
    return err;
}

FEATURE(cpuid) = {
    .name = "cpuid",
    .lab = 2,
    .help = "tell the guest about its CPU, and that it is virtual",
    .vcpu = cpuid_vcpu,
};
