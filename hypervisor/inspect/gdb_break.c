/* Breakpoints and watchpoints: a table of what gdb has set, INT3 planted in guest memory while vCPUs run, and
 * debug registers. */
#include "gdb.h"
#include "inspect.h"

#define INT3           0xcc
#define CR0_PG         (1ul << 31)
#define SLOTS          4
#define DR7_GLOBAL(n)  (2ul << 2 * (n))        /* Intel SDM 3B §18.2.4: enable, */
#define DR7_KIND(n, k) ((k) << (16 + 4 * (n))) /* type: 0 execute, 1 write, 3 read or write, and length */

static bool is_break(const struct breakpoint *p)
{
    return p->type == POINT_SOFTWARE || p->type == POINT_HARDWARE;
}

static bool is_watch(const struct breakpoint *p)
{
    return p->type == POINT_WRITE || p->type == POINT_ACCESS;
}

const struct breakpoint *break_at(uint64_t rip)
{
    for (struct breakpoint *p = gdb.points; p < gdb.points + GDB_BREAKPOINTS; p++)
        if (is_break(p) && p->gva == rip)
            return p;
    return NULL;
}

static int free_slot(void)
{
    for (int slot = 0; gdb.debug_registers_work && slot < SLOTS; slot++) {
        bool used = false;
        for (struct breakpoint *p = gdb.points; p < gdb.points + GDB_BREAKPOINTS; p++)
            used |= p->type != POINT_FREE && p->slot == slot;
        if (!used)
            return slot;
    }
    return -1;
}

/* ---- Setting and clearing ---- */

static struct breakpoint *point_find(enum gdb_point type, uint64_t gva, uint64_t size)
{
    for (struct breakpoint *p = gdb.points; p < gdb.points + GDB_BREAKPOINTS; p++)
        if (p->type == type && p->gva == gva && p->size == size)
            return p;
    return NULL;
}

/* A free entry: the one that knows about this address, or else any. */
static struct breakpoint *point_free(uint64_t gva)
{
    struct breakpoint *any = NULL;

    for (struct breakpoint *p = gdb.points; p < gdb.points + GDB_BREAKPOINTS; p++) {
        if (p->type != POINT_FREE)
            continue;
        if (p->known && p->gva == gva)
            return p;
        if (!any || (any->known && !p->known))
            any = p;
    }
    return any;
}

/* Whether the kernel is still young: no paging yet, so that nothing of it is mapped where it will run. */
static bool is_starting(const struct kvm_sregs *sregs)
{
    return !(sregs->cr0 & CR0_PG) || sregs->idt.limit < 4 * 16 - 1;
}

/* A watched variable must be 1, 2, 4 or 8 bytes on a multiple of its size: so are debug registers. Where
 * they do not work, we compare its value after each instruction, and that shows only writes. */
static int watch_set(struct breakpoint *p, const struct kvm_sregs *sregs)
{
    bool fits = p->size && p->size <= 8 && !(p->size & (p->size - 1)) && p->gva % p->size == 0;

    if (!fits || (!gdb.debug_registers_work && p->type == POINT_ACCESS))
        return -ENOTSUP;
    if (gdb_memory(gdb.vm, sregs, p->gva, p->before, p->size, false) != p->size)
        return -EFAULT;
    return gdb.debug_registers_work && p->slot < 0 ? -ENOSPC : 0;
}

/* A program's page is not mapped while another program runs. Where we have planted before, and the same code
 * still lies, is the place. */
static bool is_still_there(struct vm *vm, const struct breakpoint *p)
{
    const uint8_t *code = p->known ? guest_ptr(vm, p->gpa, sizeof p->before) : NULL;

    return code && memcmp(code, p->before, sizeof p->before) == 0;
}

static int break_set(struct breakpoint *p, const struct kvm_sregs *sregs)
{
    struct walk w;

    if (p->slot < 0 && !(walk(gdb.vm, sregs, p->gva, 0, &w) && w.is_ram) && !is_still_there(gdb.vm, p)) {
        p->slot = free_slot(); /* it needs no page that is mapped now */
        return p->slot >= 0 || is_starting(sregs) ? 0 : -EFAULT;
    }
    return 0;
}

int point_set(enum gdb_point type, uint64_t gva, uint64_t size)
{
    struct breakpoint *p = point_find(type, gva, size), new = {.type = type, .gva = gva, .size = size};
    struct kvm_sregs sregs;

    if (p)
        return 0; /* "should be implemented in an idempotent way" (appendix E.2) */
    p = point_free(gva);
    if (!p || ioctl(gdb.vcpu->fd, KVM_GET_SREGS, &sregs) < 0)
        return -ENOSPC;
    if (p->known && p->gva == gva) {
        new.known = true;
        new.gpa = p->gpa;
        memcpy(new.before, p->before, sizeof new.before);
    }
    new.slot = type == POINT_SOFTWARE ? -1 : free_slot();
    int err = is_watch(&new) ? watch_set(&new, &sregs) : break_set(&new, &sregs);
    if (err == 0)
        *p = new;
    return err;
}

void point_clear(enum gdb_point type, uint64_t gva, uint64_t size)
{
    struct breakpoint *p = point_find(type, gva, size);

    if (p)
        p->type = POINT_FREE;
}

/* ---- In guest memory, and out again ---- */

/* Two addresses may be one byte of RAM: what it was before is what the first of them found. */
static void plant(struct vm *vm, struct breakpoint *new, uint64_t gpa)
{
    uint8_t *byte = guest_ptr(vm, gpa, 1), *code = guest_ptr(vm, gpa, sizeof new->before);

    if (!byte)
        return;
    new->gpa = gpa;
    new->planted = true;
    new->known = code;
    memcpy(new->before, code ?: byte, code ? sizeof new->before : 1);
    for (struct breakpoint *p = gdb.points; p < gdb.points + GDB_BREAKPOINTS; p++)
        if (p != new && p->planted && p->gpa == gpa)
            new->before[0] = p->before[0];
    *byte = INT3;
}

/* Returns how many breakpoints could not be planted, because nothing is mapped there (yet). */
static unsigned plant_all(struct vm *vm, const struct kvm_sregs *sregs)
{
    unsigned missing = 0;
    struct walk w;

    for (struct breakpoint *p = gdb.points; p < gdb.points + GDB_BREAKPOINTS; p++) {
        if (!is_break(p) || p->planted || p->slot >= 0)
            continue;
        if (walk(vm, sregs, p->gva, 0, &w))
            plant(vm, p, w.gpa);
        else if (is_still_there(vm, p))
            plant(vm, p, p->gpa);
        missing += !p->planted;
    }
    return missing;
}

static bool any(bool (*is_kind)(const struct breakpoint *), bool in_slot)
{
    for (struct breakpoint *p = gdb.points; p < gdb.points + GDB_BREAKPOINTS; p++)
        if (is_kind(p) && (p->slot >= 0) == in_slot)
            return true;
    return false;
}

void break_plant(struct vcpu *vcpu, const struct kvm_sregs *sregs)
{
    struct gdb_vcpu *v = &gdb.vcpus[vcpu->id];

    v->creeping = any(is_watch, false);
    gdb.has_stepped |= v->creeping; /* unlike a kernel without an IDT, this one may be interrupted */
    if (!any(is_break, false))
        return;
    pthread_mutex_lock(&vcpu->vm->lock);
    /* Without paging, an address is another byte than it will be; only where gdb looks it is what was meant.
     */
    bool plants = sregs->cr0 & CR0_PG || vcpu == gdb.vcpu;
    unsigned missing = plants ? plant_all(vcpu->vm, sregs) : 1;
    bool reported = gdb.int3_exits || int3_plant(vcpu, sregs);
    pthread_mutex_unlock(&vcpu->vm->lock);
    v->creeping |= !reported || (missing > 0 && is_starting(sregs));
}

/* The guest may have written there meanwhile: a byte that is not ours any more is its own. */
void break_take_out(struct vm *vm)
{
    int3_take_out(vm);
    for (struct breakpoint *p = gdb.points; p < gdb.points + GDB_BREAKPOINTS; p++) {
        uint8_t *byte = p->planted ? guest_ptr(vm, p->gpa, 1) : NULL;
        if (byte && *byte == INT3)
            *byte = p->before[0];
        p->planted = false;
    }
}

/* ---- Debug registers, and what stands in for them ---- */

void break_debug_registers(__u64 *debugreg)
{
    static const unsigned long lengths[] = {[1] = 0, [2] = 1, [4] = 3, [8] = 2};

    for (struct breakpoint *p = gdb.points; p < gdb.points + GDB_BREAKPOINTS; p++) {
        if (p->type == POINT_FREE || p->slot < 0)
            continue;
        unsigned long type = p->type == POINT_WRITE ? 1 : p->type == POINT_ACCESS ? 3 : 0;
        unsigned long length = type ? lengths[p->size] : 0;
        debugreg[p->slot] = p->gva;
        debugreg[7] |= DR7_GLOBAL(p->slot) | DR7_KIND(p->slot, type | length << 2);
    }
}

const struct breakpoint *watch_changed(struct vcpu *vcpu, const struct kvm_sregs *sregs)
{
    uint8_t now[sizeof gdb.points->before];

    for (struct breakpoint *p = gdb.points; p < gdb.points + GDB_BREAKPOINTS; p++) {
        if (!is_watch(p) || p->slot >= 0 ||
            gdb_memory(vcpu->vm, sregs, p->gva, now, p->size, false) != p->size ||
            memcmp(now, p->before, p->size) == 0)
            continue;
        memcpy(p->before, now, p->size);
        return p;
    }
    return NULL;
}
