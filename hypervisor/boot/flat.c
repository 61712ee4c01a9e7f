/* `--flat FILE`: bare bytes that run in real mode from 0x7C00, as a PC's firmware starts a boot sector. */
#include <unistd.h>
#include "../feature.h"
#include "flat.h"

static struct option options[] = {
    {.name = "flat", .arg = "FILE", .help = "run FILE's bytes at 0x7C00 in real mode; HLT ends the guest"},
    {0},
};

static int flat_attach(struct vm *vm)
{
    if (!options[0].value)
        return 0;
    vm->bare = true;
    return vm_claim_boot(vm, "--flat");
}

int flat_start(struct vcpu *vcpu)
{
    struct kvm_regs regs = {.rip = FLAT_BASE, .rsp = FLAT_BASE, .rflags = 2}; /* bit 1 is always one */
    struct kvm_sregs sregs;

    if (kvm_ioctl(vcpu->fd, KVM_GET_SREGS, &sregs, "read the vCPU's registers") < 0)
        return -EIO;
    /* After reset CS lies at 0xFFFF0000, below the firmware, the others at 0. There, an address is just its
     * offset. */
    sregs.cs.base = sregs.cs.selector = 0;
    if (kvm_ioctl(vcpu->fd, KVM_SET_SREGS, &sregs, "set the vCPU's registers") < 0)
        return -EIO;
    return kvm_ioctl(vcpu->fd, KVM_SET_REGS, &regs, "set the vCPU's registers");
}

static int flat_boot(struct vm *vm)
{
    const char *path = options[0].value;
    uint64_t size;

    if (!path)
        return 0;
    int fd = host_open("--flat", path, &size);
    if (fd < 0)
        return fd;
    int err = host_read_at(fd, guest_ptr(vm, FLAT_BASE, FLAT_MAX), size <= FLAT_MAX ? size : 0, 0);
    close(fd);
    if (size == 0 || size > FLAT_MAX)
        return complain(-EFBIG, "--flat %s: %lu bytes; real mode at 0x%x has room for 1 to %d", path, size,
                        FLAT_BASE, FLAT_MAX);
    return err ? complain(err, "--flat %s: %s", path, strerror(-err)) : flat_start(vm->vcpus[0]);
}

FEATURE(flat) = {
    .name = "flat",
    .lab = 1,
    .help = "bare real-mode bytes as a guest",
    .options = options,
    .attach = flat_attach,
    .boot = flat_boot,
};
