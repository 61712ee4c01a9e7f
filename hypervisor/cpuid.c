/* CPUID: what the guest's CPU says it can do: what KVM can give, that it is virtual, and which CPU of how
 * many it is. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include "feature.h"

#define ENTRIES_MAX 256

/* The bits of an APIC id that number the CPUs of the package: the smallest power of two that holds them. */
static unsigned id_bits(unsigned cpus)
{
    unsigned bits = 0;

    while (1u << bits < cpus)
        bits++;
    return bits;
}

/* Intel SDM 2A "CPUID", AMD APM 3 appendix E: one package of `cpus` cores with one thread each. */
static void cpuid_patch(struct kvm_cpuid_entry2 *e, const struct vcpu *vcpu)
{
    const struct vm *vm = vcpu->vm;
    bool deadline = vm->irqchip && ioctl(vm->kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_TSC_DEADLINE_TIMER) > 0;

    switch (e->function) {
    case 1:
        e->ebx = (e->ebx & 0xffff) | vm->cpus << 16 | vcpu->id << 24;
        e->ecx |= 1u << 31;                 /* a hypervisor is there: look at leaf 0x40000000 */
        e->ecx |= (uint32_t)deadline << 24; /* the local APIC's timer takes a TSC value */
        e->edx = vm->cpus > 1 ? e->edx | 1u << 28 : e->edx & ~(1u << 28);
        break;
    case 4: /* caches: cores of the package; each cache belongs to one of them */
        e->eax = (e->eax & 0x3fff) | (vm->cpus - 1) << 26;
        break;
    case 0xb: /* x2APIC ids, level 0: threads of a core, level 1: cores of the package */
    case 0x1f:
        e->eax = e->index == 1 ? id_bits(vm->cpus) : 0;
        e->ebx = e->index == 0 ? 1 : e->index == 1 ? vm->cpus : 0;
        e->ecx = e->index < 2 ? e->index | (e->index + 1) << 8 : e->index;
        e->edx = vcpu->id;
        break;
    case 0x80000008:
        e->ecx = (vm->cpus - 1) | id_bits(vm->cpus) << 12;
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
    int err = 0;

    if (!cpuid)
        return complain(-ENOMEM, "no memory for CPUID");
    cpuid->nent = ENTRIES_MAX;
    if (ioctl(vcpu->vm->kvm_fd, KVM_GET_SUPPORTED_CPUID, cpuid) < 0)
        err = complain(-errno, "KVM does not tell which CPUID it supports: %s", strerror(errno));
    for (unsigned i = 0; err == 0 && i < cpuid->nent; i++)
        cpuid_patch(&cpuid->entries[i], vcpu);
    if (err == 0 && ioctl(vcpu->fd, KVM_SET_CPUID2, cpuid) < 0)
        err = complain(-errno, "KVM refuses the CPUID of vCPU %u: %s", vcpu->id, strerror(errno));
    free(cpuid);
    return err;
}

FEATURE(cpuid) = {
    .name = "cpuid",
    .lab = 2,
    .help = "tell the guest about its CPU, and that it is virtual",
    .vcpu = cpuid_vcpu,
};
