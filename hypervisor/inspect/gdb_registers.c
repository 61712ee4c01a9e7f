/* A vCPU's registers on their way between KVM and gdb. */
#include "gdb.h"

/* In the order of gdb_target.c: KERNEL_GS_BASE, STAR, LSTAR, SFMASK, TSC. */
static const uint32_t msr_numbers[GDB_MSRS] = {0xc0000102, 0xc0000081, 0xc0000082, 0xc0000084, 0x10};

#define XSTATE_BV 128 /* index in kvm_xsave.region of the bits that say which parts are in use */

/* KVM's list has no fixed length; this is one of ours. */
union msr_list {
    struct kvm_msrs list;
    uint8_t space[sizeof(struct kvm_msrs) + GDB_MSRS * sizeof(struct kvm_msr_entry)];
};

static int msrs_ioctl(struct vcpu *vcpu, unsigned long request, uint64_t *values)
{
    union msr_list msrs = {.list.nmsrs = GDB_MSRS};

    for (unsigned i = 0; i < GDB_MSRS; i++)
        msrs.list.entries[i] = (struct kvm_msr_entry){.index = msr_numbers[i], .data = values[i]};
    int n = ioctl(vcpu->fd, request, &msrs);
    for (unsigned i = 0; i < GDB_MSRS; i++)
        values[i] = msrs.list.entries[i].data;
    return n == GDB_MSRS ? 0 : -EIO;
}

/* The tag word has 3 for an empty register and 0 to 2 for what it holds; FXSAVE only keeps 0 or 1. */
static uint16_t tags_widen(uint8_t narrow)
{
    uint16_t tags = 0;

    for (unsigned i = 0; i < 8; i++)
        tags |= narrow >> i & 1 ? 0 : 3 << 2 * i;
    return tags;
}

static uint8_t tags_narrow(uint16_t tags)
{
    uint8_t narrow = 0;

    for (unsigned i = 0; i < 8; i++)
        narrow |= (tags >> 2 * i & 3) != 3 ? 1 << i : 0;
    return narrow;
}

int registers_load(struct vcpu *vcpu, struct gdb_registers *r)
{
    memset(r, 0, sizeof *r);
    if (ioctl(vcpu->fd, KVM_GET_REGS, &r->regs) < 0 || ioctl(vcpu->fd, KVM_GET_SREGS, &r->sregs) < 0 ||
        ioctl(vcpu->fd, KVM_GET_DEBUGREGS, &r->debug) < 0 || ioctl(vcpu->fd, KVM_GET_XSAVE, &r->xsave) < 0)
        return -EIO;
    r->x87_tags = tags_widen(r->xsave.region[1] & 0xff);
    return msrs_ioctl(vcpu, KVM_GET_MSRS, r->msrs);
}

#define DIFFERS(member) (memcmp(&old->member, &r->member, sizeof r->member) != 0)

int registers_store(struct vcpu *vcpu, const struct gdb_registers *old, struct gdb_registers *r)
{
    int err = 0;

    if (DIFFERS(x87_tags))
        r->xsave.region[1] = (r->xsave.region[1] & ~0xffu) | tags_narrow(r->x87_tags);
    if (DIFFERS(xsave)) /* a part that is marked as unused would be taken for zeros: x87, SSE, AVX */
        r->xsave.region[XSTATE_BV] |= memcmp(old->xsave.region + 144, r->xsave.region + 144, 256) ? 7 : 3;
    err |= DIFFERS(sregs) ? ioctl(vcpu->fd, KVM_SET_SREGS, &r->sregs) : 0;
    err |= DIFFERS(regs) ? ioctl(vcpu->fd, KVM_SET_REGS, &r->regs) : 0;
    err |= DIFFERS(debug) ? ioctl(vcpu->fd, KVM_SET_DEBUGREGS, &r->debug) : 0;
    err |= DIFFERS(xsave) ? ioctl(vcpu->fd, KVM_SET_XSAVE, &r->xsave) : 0;
    err |= DIFFERS(msrs) ? msrs_ioctl(vcpu, KVM_SET_MSRS, r->msrs) : 0;
    return err ? -EIO : 0;
}
