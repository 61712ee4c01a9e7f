/* A vCPU's registers on their way between KVM and gdb. */
#include "gdb.h"
#include "x86.h"

/* In the order of GDB_KERNEL_GS_BASE and so on. */
static const uint32_t msr_numbers[GDB_MSRS] = {MSR_KERNEL_GS_BASE, MSR_STAR, MSR_LSTAR, MSR_SFMASK, MSR_TSC};

#define TSS_BUSY 2 /* of a TSS descriptor's type, 9 or 11 (Intel SDM 3A §7.2.3) */

#define XSTATE_BV 128 /* index in kvm_xsave.region of the bits that say which parts are in use */

static int msrs_ioctl(struct vcpu *vcpu, unsigned long request, uint64_t *values)
{
    struct {
        uint32_t count, unused;
        struct kvm_msr_entry entries[GDB_MSRS];
    } msrs = {.count = GDB_MSRS}; /* laid out as struct kvm_msrs */

    for (unsigned i = 0; i < GDB_MSRS; i++)
        msrs.entries[i] = (struct kvm_msr_entry){.index = msr_numbers[i], .data = values[i]};
    int n = ioctl(vcpu->fd, request, &msrs);
    for (unsigned i = 0; i < GDB_MSRS; i++)
        values[i] = msrs.entries[i].data;
    return n == GDB_MSRS ? 0 : -EIO;
}

/* KVM says of every TSS that it is busy, as real CPUs want it. An emulated one wants it as it was: else a
 * program loses the I/O ports that its kernel has allowed it. */
int sregs_load(struct vcpu *vcpu, struct kvm_sregs *sregs)
{
    int err = ioctl(vcpu->fd, KVM_GET_SREGS, sregs);

    if (!gdb.int3_exits)
        sregs->tr.type &= (__u8)~TSS_BUSY;
    return err;
}

int registers_load(struct vcpu *vcpu, struct gdb_registers *r)
{
    memset(r, 0, sizeof *r);
    if (ioctl(vcpu->fd, KVM_GET_REGS, &r->regs) < 0 || sregs_load(vcpu, &r->sregs) < 0 ||
        ioctl(vcpu->fd, KVM_GET_DEBUGREGS, &r->debug) < 0 || ioctl(vcpu->fd, KVM_GET_XSAVE, &r->xsave) < 0)
        return -EIO;
    for (unsigned i = 0; i < 8; i++) /* 3 is an empty register; what the others hold, FXSAVE does not say */
        r->x87_tags |= r->fpu.ftw >> i & 1 ? 0 : 3 << 2 * i;
    return msrs_ioctl(vcpu, KVM_GET_MSRS, r->msrs);
}

#define DIFFERS(member) (memcmp(&old->member, &r->member, sizeof r->member) != 0)

int registers_store(struct vcpu *vcpu, const struct gdb_registers *old, struct gdb_registers *r)
{
    int err = 0;

    if (DIFFERS(xsave)) /* what is marked as unused would be taken for zeros: x87, SSE */
        r->xsave.region[XSTATE_BV] |= 3;
    err |= DIFFERS(sregs) ? ioctl(vcpu->fd, KVM_SET_SREGS, &r->sregs) : 0;
    err |= DIFFERS(regs) ? ioctl(vcpu->fd, KVM_SET_REGS, &r->regs) : 0;
    err |= DIFFERS(debug) ? ioctl(vcpu->fd, KVM_SET_DEBUGREGS, &r->debug) : 0;
    err |= DIFFERS(xsave) ? ioctl(vcpu->fd, KVM_SET_XSAVE, &r->xsave) : 0;
    err |= DIFFERS(msrs) ? msrs_ioctl(vcpu, KVM_SET_MSRS, r->msrs) : 0;
    return err ? -EIO : 0;
}

struct kvm_segment segment_from(uint16_t selector, uint64_t d)
{
    uint32_t limit = (d & 0xffff) | (d >> 32 & 0xf0000);

    return (struct kvm_segment){
        .base = (d >> 16 & 0xffffff) | (d >> 56) << 24,
        .limit = d >> 55 & 1 ? limit << 12 | 0xfff : limit,
        .selector = selector,
        .type = (d >> 40 & 15) | 1, /* "accessed": that it is, now */
        .present = d >> 47 & 1,
        .dpl = selector & 3,
        .db = d >> 54 & 1,
        .s = d >> 44 & 1,
        .l = d >> 53 & 1,
        .g = d >> 55 & 1,
        .avl = d >> 52 & 1,
        .unusable = d == 0, /* the kernel's stack segment may be the null one */
    };
}
