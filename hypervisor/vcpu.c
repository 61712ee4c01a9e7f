/* A vCPU: the thread that runs the guest, and the table that says who handles its exits. */
#include <stdlib.h>
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
    vcpu->run_size = (size_t)ioctl(vm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
    vcpu->run = MAP_FAILED;
    vcpu->fd = kvm_ioctl(vm->fd, KVM_CREATE_VCPU, (void *)(uintptr_t)id, "create so many vCPUs");
    if (vcpu->fd < 0)
        return vcpu->fd;
    vcpu->run = mmap(NULL, vcpu->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
    if (vcpu->run == MAP_FAILED)
        return complain(-ENOMEM, "cannot map the run page of vCPU %u: %s", id, strerror(errno));
    int err = 0;
    for (struct feature *f = features; f && err == 0; f = f->next)
        err = f->vcpu ? f->vcpu(vcpu) : 0;
    return err;
}

void vcpu_free(struct vcpu *vcpu)
{
    if (vcpu->run != MAP_FAILED)
        munmap(vcpu->run, vcpu->run_size);
    if (vcpu->fd >= 0)
        close(vcpu->fd);
    free(vcpu);
}

static struct exit_note exit_note(const struct kvm_run *run)
{
    switch (run->exit_reason) {
    case KVM_EXIT_IO:
        return (struct exit_note){KVM_EXIT_IO, run->io.size, run->io.port,
                                  run->io.direction == KVM_EXIT_IO_OUT, 1};
    case KVM_EXIT_MMIO:
        return (struct exit_note){KVM_EXIT_MMIO, run->mmio.len, run->mmio.phys_addr, run->mmio.is_write, 1};
    default:
        return (struct exit_note){.reason = run->exit_reason, .count = 1};
    }
}

/* KVM leaves them in the page that we share (kvm_valid_regs), with no system call, but for the MSRs: these
 * change seldom, so not in a row of equal exits. */
static void vcpu_keep_registers(struct vcpu *vcpu, bool with_msrs)
{
    if (!vcpu->keeps_registers || vcpu->run->exit_reason == KVM_EXIT_SHUTDOWN)
        return;
    vcpu->regs = vcpu->run->s.regs.regs;
    vcpu->sregs = vcpu->run->s.regs.sregs;
    if (with_msrs)
        ioctl(vcpu->fd, KVM_GET_MSRS, &vcpu->msrs);
}

/* Count an exit and keep it in the list of the last ones, equal neighbours as one entry. */
static void vcpu_note_exit(struct vcpu *vcpu)
{
    struct exit_note note = exit_note(vcpu->run), *last = &vcpu->last[vcpu->last_index];
    bool is_new = last->reason != note.reason || last->size != note.size || last->addr != note.addr ||
                  last->is_write != note.is_write;

    vcpu->exit_count++;
    vcpu->exits[note.reason % EXIT_REASONS]++;
    if (is_new) {
        vcpu->last_index = (vcpu->last_index + 1) % LAST_EXITS;
        vcpu->last[vcpu->last_index] = note;
    } else {
        last->count++;
    }
    vcpu_keep_registers(vcpu, is_new);
}

void vcpu_died(struct vcpu *vcpu, int status, const char *what)
{
    bool explained = false;

    for (struct feature *f = features; f; f = f->next)
        explained |= f->died && f->died(vcpu, what);
    if (!explained)
        complain(0, "the guest died on vCPU %u after %lu exits: %s", vcpu->id, vcpu->exit_count, what);
    vm_stop(vcpu->vm, status);
}

static void vcpu_handle_exit(struct vcpu *vcpu)
{
    unsigned reason = vcpu->run->exit_reason;
    void (*handle)(struct vcpu *) = vcpu->vm->handlers[reason % EXIT_REASONS];
    uint64_t start = vcpu->vm->timed ? host_now() : 0;

    vcpu_note_exit(vcpu);
    if (handle)
        handle(vcpu);
    else
        vcpu_died(vcpu, reason == KVM_EXIT_SHUTDOWN ? STATUS_TRIPLE_FAULT : STATUS_KVM_ERROR,
                  exit_reason_name(reason));
    vcpu->exit_ns[reason % EXIT_REASONS] += vcpu->vm->timed ? host_now() - start : 0;
}

int vcpu_enter(struct vcpu *vcpu)
{
    return ioctl(vcpu->fd, KVM_RUN, 0) < 0 ? -errno : 0;
}

void *vcpu_thread(void *arg)
{
    struct vcpu *vcpu = arg;

    ioctl(vcpu->fd, KVM_GET_REGS, &vcpu->regs);
    ioctl(vcpu->fd, KVM_GET_SREGS, &vcpu->sregs);
    for (;;) {
        int err = vcpu_enter(vcpu);
        if (err == 0) {
            vcpu_handle_exit(vcpu);
            continue;
        }
        if (err == -EINTR || err == -EAGAIN) /* kicked: vm->wish says why; the last access is complete */
            __atomic_store_n(&vcpu->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
        else
            vcpu_died(vcpu, STATUS_KVM_ERROR, strerror(-err));
        if (!vcpu_may_run(vcpu))
            return NULL;
    }
}

static void vcpu_handle_io(struct vcpu *vcpu)
{
    struct kvm_run *run = vcpu->run;
    bool is_write = run->io.direction == KVM_EXIT_IO_OUT;
    void *data = (uint8_t *)run + run->io.data_offset;
    struct access a = {vcpu->vm, NULL, run->io.port, data, run->io.size, run->io.count, is_write};

    bus_access(&vcpu->vm->ports, a);
}

static void vcpu_handle_mmio(struct vcpu *vcpu)
{
    struct kvm_run *run = vcpu->run;
    struct access a = {vcpu->vm,      NULL, run->mmio.phys_addr, run->mmio.data,
                       run->mmio.len, 1,    run->mmio.is_write};

    bus_access(&vcpu->vm->mmio, a);
}

/* Without an interrupt controller nothing can wake the CPU again, so HLT is the guest's way to say that it is
 * done. */
static void vcpu_handle_hlt(struct vcpu *vcpu)
{
    vm_stop(vcpu->vm, 0);
}

static int exits_attach(struct vm *vm)
{
    vm->handlers[KVM_EXIT_IO] = vcpu_handle_io;
    vm->handlers[KVM_EXIT_MMIO] = vcpu_handle_mmio;
    vm->handlers[KVM_EXIT_HLT] = vcpu_handle_hlt;
    return 0;
}

FEATURE(exits) = {
    .name = "exits",
    .lab = 1,
    .help = "port I/O, memory-mapped I/O and HLT",
    .attach = exits_attach,
};
