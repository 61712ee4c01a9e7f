/* `--flat FILE`: bare bytes that run in real mode from 0x7C00, as a PC's firmware starts a boot sector. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../feature.h"
#include "flat.h"

static struct option options[] = {
    {"flat", "FILE", "run the bytes of FILE at 0x7C00 in real mode; HLT ends the guest", NULL, NULL},
    {0},
};

static int flat_attach(struct vm *vm)
{
    if (!options[0].value)
        return 0;
    vm->bare = true;
    return vm_claim_boot(vm, "--flat");
}

int flat_start(struct vcpu *vcpu, uint16_t ip)
{
    struct kvm_sregs sregs;
    struct kvm_regs regs = {.rip = ip, .rsp = FLAT_BASE, .rflags = 2}; /* bit 1 is always one */

    if (ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) < 0)
        return complain(-errno, "cannot read the special registers of vCPU %u: %s", vcpu->id,
                        strerror(errno));
    /* After reset CS lies at 0xFFFF0000, below the firmware. All segments to 0: an address is just its
     * offset. */
    struct kvm_segment *segments[] = {&sregs.cs, &sregs.ds, &sregs.es, &sregs.ss, &sregs.fs, &sregs.gs};
    for (size_t i = 0; i < sizeof segments / sizeof segments[0]; i++) {
        segments[i]->base = 0;
        segments[i]->selector = 0;
    }
    if (ioctl(vcpu->fd, KVM_SET_SREGS, &sregs) < 0 || ioctl(vcpu->fd, KVM_SET_REGS, &regs) < 0)
        return complain(-errno, "cannot set the registers of vCPU %u: %s", vcpu->id, strerror(errno));
    return 0;
}

static int flat_boot(struct vm *vm)
{
    const char *path = options[0].value;
    struct stat st;

    if (!path)
        return 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return complain(-errno, "--flat %s: %s", path, strerror(errno));
    int err = 0;
    if (st.st_size == 0 || st.st_size > FLAT_MAX)
        err = complain(-EFBIG, "--flat %s: %lld bytes; real mode at 0x%x has room for 1 to %d", path,
                       (long long)st.st_size, FLAT_BASE, FLAT_MAX);
    else if (pread(fd, guest_ptr(vm, FLAT_BASE, FLAT_MAX), (size_t)st.st_size, 0) != st.st_size)
        err = complain(-EIO, "--flat %s: cannot read all of it", path);
    close(fd);
    return err ? err : flat_start(vm->vcpus[0], FLAT_BASE);
}

FEATURE(flat) = {
    .name = "flat",
    .lab = 1,
    .help = "bare real-mode bytes as a guest",
    .options = options,
    .attach = flat_attach,
    .boot = flat_boot,
};
