/* Watchpoints: the debug registers, and what stands in for them where they do not work. */
#include "gdb.h"

#define SLOTS          4
#define DR7_GLOBAL(n)  (2ul << 2 * (n))        /* Intel SDM 3B §18.2.4: enable, */
#define DR7_KIND(n, k) ((k) << (16 + 4 * (n))) /* type: 0 execute, 1 write, 3 read or write; and length */

bool is_watch(const struct breakpoint *p)
{
    return p->type == POINT_WRITE || p->type == POINT_ACCESS;
}

static bool has_register(const struct breakpoint *p)
{
    return p->type != POINT_FREE && p->slot >= 0;
}

int free_slot(void)
{
    unsigned used = 0;

    FOR_EACH_POINT (p)
        used |= has_register(p) ? 1u << p->slot : 0;
    for (int slot = 0; gdb.debug_registers_work && slot < SLOTS; slot++)
        if (!(used >> slot & 1))
            return slot;
    return -1;
}

/* A watched variable must be 1, 2, 4 or 8 bytes on a multiple of its size: so are debug registers. Where
 * they do not work, we compare its value after each instruction, and that shows only writes. */
int watch_set(struct breakpoint *p, enum gdb_point type, const struct kvm_sregs *sregs)
{
    bool fits = p->size && p->size <= 8 && !(p->size & (p->size - 1)) && p->gva % p->size == 0;

    if (!fits || (!gdb.debug_registers_work && type == POINT_ACCESS))
        return -ENOTSUP;
    p->known = false;
    if (gdb_memory(gdb.vm, sregs, p->gva, p->before, p->size, false) != p->size)
        return -EFAULT;
    return gdb.debug_registers_work && p->slot < 0 ? -ENOSPC : 0;
}

void points_to_debug_registers(__u64 *debugreg)
{
    static const unsigned long lengths[] = {[1] = 0, [2] = 1, [4] = 3, [8] = 2};

    FOR_EACH_POINT (p) {
        if (!has_register(p))
            continue;
        unsigned long type = p->type == POINT_WRITE ? 1 : p->type == POINT_ACCESS ? 3 : 0;
        unsigned long length = type ? lengths[p->size] : 0;
        debugreg[p->slot] = p->gva;
        debugreg[7] |= DR7_GLOBAL(p->slot) | DR7_KIND(p->slot, type | length << 2);
    }
}

/* The CPU may also set bits of registers that are not in use. */
const struct breakpoint *point_fired(uint64_t dr6)
{
    FOR_EACH_POINT (p)
        if (has_register(p) && dr6 >> p->slot & 1)
            return p;
    return NULL;
}

const struct breakpoint *watch_changed(struct vcpu *vcpu, const struct kvm_sregs *sregs)
{
    uint8_t now[sizeof gdb.points->before];

    FOR_EACH_POINT (p) {
        if (!is_watch(p) || p->slot >= 0 ||
            gdb_memory(vcpu->vm, sregs, p->gva, now, p->size, false) != p->size ||
            memcmp(now, p->before, p->size) == 0)
            continue;
        memcpy(p->before, now, p->size);
        return p;
    }
    return NULL;
}
