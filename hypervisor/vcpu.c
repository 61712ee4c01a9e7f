/* A vCPU: the thread that runs the guest, and the table that says who handles its exits. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "feature.h"

const char *exit_reason_name(unsigned reason)
{
    static const char *const names[EXIT_REASONS] = {
        [KVM_EXIT_UNKNOWN] = "unknown reason (KVM_EXIT_UNKNOWN)",
        [KVM_EXIT_EXCEPTION] = "exception (KVM_EXIT_EXCEPTION)",
        [KVM_EXIT_IO] = "port I/O (KVM_EXIT_IO)",
        [KVM_EXIT_HYPERCALL] = "hypercall (KVM_EXIT_HYPERCALL)",
        [KVM_EXIT_DEBUG] = "debug event (KVM_EXIT_DEBUG)",
        [KVM_EXIT_HLT] = "HLT (KVM_EXIT_HLT)",
        [KVM_EXIT_MMIO] = "memory-mapped I/O (KVM_EXIT_MMIO)",
        [KVM_EXIT_IRQ_WINDOW_OPEN] = "ready for an interrupt (KVM_EXIT_IRQ_WINDOW_OPEN)",
        [KVM_EXIT_SHUTDOWN] = "triple fault (KVM_EXIT_SHUTDOWN)",
        [KVM_EXIT_FAIL_ENTRY] = "the CPU refused the guest's state (KVM_EXIT_FAIL_ENTRY)",
        [KVM_EXIT_INTR] = "signal (KVM_EXIT_INTR)",
        [KVM_EXIT_NMI] = "NMI (KVM_EXIT_NMI)",
        [KVM_EXIT_INTERNAL_ERROR] = "KVM could not emulate the guest (KVM_EXIT_INTERNAL_ERROR)",
        [KVM_EXIT_SYSTEM_EVENT] = "system event (KVM_EXIT_SYSTEM_EVENT)",
        [KVM_EXIT_IOAPIC_EOI] = "end of interrupt (KVM_EXIT_IOAPIC_EOI)",
    };

    return reason < EXIT_REASONS && names[reason] ? names[reason] : "a reason that Terrarium has no name for";
}

int vcpu_create(struct vm *vm, unsigned id)
{
    struct vcpu *vcpu = calloc(1, sizeof *vcpu);

    if (!vcpu)
        return complain(-ENOMEM, "no memory for vCPU %u", id);
    vm->vcpus[id] = vcpu;
    vcpu->vm = vm;
    vcpu->id = id;
    vcpu->fd = ioctl(vm->fd, KVM_CREATE_VCPU, (unsigned long)id);
    if (vcpu->fd < 0)
        return complain(-errno, "KVM refuses vCPU %u: %s", id, strerror(errno));
    size_t size = (size_t)ioctl(vm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
    vcpu->run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
    if (vcpu->run == MAP_FAILED) {
        vcpu->run = NULL;
        return complain(-errno, "cannot map the run page of vCPU %u: %s", id, strerror(errno));
    }
    FOR_EACH_FEATURE(f)
    {
        int err = (*f)->vcpu ? (*f)->vcpu(vcpu) : 0;
        if (err)
            return err;
    }
    return 0;
}

void vcpu_free(struct vcpu *vcpu)
{
    if (vcpu->run)
        munmap(vcpu->run, (size_t)ioctl(vcpu->vm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0));
    if (vcpu->fd >= 0)
        close(vcpu->fd);
    free(vcpu);
}

/* Count an exit and keep it in the list of the last ones, equal neighbours as one entry. */
static void vcpu_note_exit(struct vcpu *vcpu)
{
    struct kvm_run *run = vcpu->run;
    struct exit_note note = {.reason = (uint8_t)run->exit_reason, .count = 1};
    struct exit_note *last = &vcpu->last[vcpu->last_index];

    if (run->exit_reason == KVM_EXIT_IO) {
        note.addr = run->io.port;
        note.size = run->io.size;
        note.is_write = run->io.direction == KVM_EXIT_IO_OUT;
    } else if (run->exit_reason == KVM_EXIT_MMIO) {
        note.addr = run->mmio.phys_addr;
        note.size = (uint8_t)run->mmio.len;
        note.is_write = run->mmio.is_write;
    }
    vcpu->exit_count++;
    vcpu->exits[run->exit_reason % EXIT_REASONS]++;
    if (last->reason == note.reason && last->addr == note.addr && last->size == note.size &&
        last->is_write == note.is_write) {
        last->count++;
        run->kvm_valid_regs =
            last->count % 64 ? 0 : vcpu->sync; /* a row of equal exits is not worth a look at each */
        return;
    }
    if (vcpu->sync && !run->kvm_valid_regs) {
        vcpu->seen_before = vcpu->seen;
        ioctl(vcpu->fd, KVM_GET_REGS, &vcpu->seen.regs);
        ioctl(vcpu->fd, KVM_GET_SREGS, &vcpu->seen.sregs);
    }
    run->kvm_valid_regs = vcpu->sync;
    vcpu->last_index = (vcpu->last_index + 1) % (sizeof vcpu->last / sizeof vcpu->last[0]);
    vcpu->last[vcpu->last_index] = note;
}

int vcpu_died(struct vcpu *vcpu, int status, const char *what)
{
    bool explained = false;

    FOR_EACH_FEATURE(f)
    if ((*f)->died && (*f)->died(vcpu, what))
        explained = true;
    if (!explained)
        complain(0, "the guest died on vCPU %u after %llu exits: %s", vcpu->id,
                 (unsigned long long)vcpu->exit_count, what);
    vm_stop(vcpu->vm, status);
    return 0;
}

static int vcpu_unhandled(struct vcpu *vcpu)
{
    unsigned reason = vcpu->run->exit_reason;

    return vcpu_died(vcpu, reason == KVM_EXIT_SHUTDOWN ? STATUS_TRIPLE_FAULT : STATUS_KVM_ERROR,
                     exit_reason_name(reason));
}

static int vcpu_handle_exit(struct vcpu *vcpu)
{
    unsigned reason = vcpu->run->exit_reason % EXIT_REASONS;
    int (*handle)(struct vcpu *) = vcpu->vm->handlers[reason];
    uint64_t start = vcpu->vm->timed ? host_now() : 0;

    vcpu_note_exit(vcpu);
    int err = handle ? handle(vcpu) : vcpu_unhandled(vcpu);
    if (vcpu->vm->timed)
        vcpu->exit_ns[reason] += host_now() - start;
    return err;
}

int vcpu_enter(struct vcpu *vcpu)
{
    int err = ioctl(vcpu->fd, KVM_RUN, 0) < 0 ? -errno : 0;

    if (vcpu->run->kvm_valid_regs) {
        vcpu->seen_before = vcpu->seen;
        vcpu->seen = vcpu->run->s.regs;
    }
    return err;
}

void *vcpu_thread(void *arg)
{
    struct vcpu *vcpu = arg;

    do {
        int err = vcpu_enter(vcpu);
        if (err == 0)
            err = vcpu_handle_exit(vcpu);
        if (err == -EINTR ||
            err == -EAGAIN) /* kicked: a request waits in vm->wish, and the last access is complete */
            __atomic_store_n(&vcpu->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
        else if (err < 0)
            vcpu_died(vcpu, STATUS_KVM_ERROR, strerror(-err));
        else
            continue;
    } while (vm_may_run(vcpu->vm));
    return NULL;
}

static int vcpu_handle_io(struct vcpu *vcpu)
{
    struct kvm_run *run = vcpu->run;
    struct bus_access access = {
        .addr = run->io.port,
        .data = (uint8_t *)run + run->io.data_offset,
        .size = run->io.size,
        .count = run->io.count,
        .is_write = run->io.direction == KVM_EXIT_IO_OUT,
    };

    bus_access(vcpu->vm, &vcpu->vm->ports, &access);
    return 0;
}

static int vcpu_handle_mmio(struct vcpu *vcpu)
{
    struct kvm_run *run = vcpu->run;
    struct bus_access access = {
        .addr = run->mmio.phys_addr,
        .data = run->mmio.data,
        .size = run->mmio.len,
        .count = 1,
        .is_write = run->mmio.is_write,
    };

    bus_access(vcpu->vm, &vcpu->vm->mmio, &access);
    return 0;
}

/* Without an interrupt controller nothing can wake the CPU again, so HLT is the guest's way to say that it is
 * done. */
static int vcpu_handle_hlt(struct vcpu *vcpu)
{
    vm_stop(vcpu->vm, 0);
    return 0;
}

static const struct exit_handler handlers[] = {
    {KVM_EXIT_IO, vcpu_handle_io},
    {KVM_EXIT_MMIO, vcpu_handle_mmio},
    {KVM_EXIT_HLT, vcpu_handle_hlt},
    {0, NULL},
};

FEATURE(exits) = {
    .name = "exits",
    .lab = 1,
    .help = "port I/O, memory-mapped I/O and HLT",
    .exits = handlers,
};
