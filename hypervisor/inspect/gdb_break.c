/* Breakpoints: a table of what gdb has set, and INT3 planted in guest memory while vCPUs run. */
#include "gdb.h"
#include "inspect.h"
#include "x86.h"

#define INT3 0xcc

static bool is_break(const struct breakpoint *p)
{
    return p->type == POINT_SOFTWARE || p->type == POINT_HARDWARE;
}

const struct breakpoint *break_at(uint64_t rip)
{
    FOR_EACH_POINT (p)
        if (is_break(p) && p->gva == rip)
            return p;
    return NULL;
}

/* ---- Setting and clearing ---- */

static struct breakpoint *point_find(enum gdb_point type, uint64_t gva, uint64_t size)
{
    FOR_EACH_POINT (p)
        if (p->type == type && p->gva == gva && p->size == size)
            return p;
    return NULL;
}

/* A free entry: the one that knows about this address, or else any. */
static struct breakpoint *point_free(uint64_t gva)
{
    struct breakpoint *any = NULL;

    FOR_EACH_POINT (p) {
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

/* A program's page is not mapped while another program runs. Where we have planted before, and the same code
 * still lies, is the place. */
static bool is_still_there(struct vm *vm, const struct breakpoint *p)
{
    const uint8_t *code = p->known ? guest_ptr(vm, p->gpa, sizeof p->before) : NULL;

    return code && memcmp(code, p->before, sizeof p->before) == 0;
}

/* Programs have the lower half of all addresses. Their pages come one by one, as they are needed: with
 * faults, at which we can look (gdb_int3.c). */
static bool is_program(uint64_t gva)
{
    return gva >> 47 == 0;
}

static int break_set(struct breakpoint *p, const struct kvm_sregs *sregs)
{
    struct walk w;

    if (p->slot >= 0 || (walk(gdb.vm, sregs, p->gva, 0, &w) && w.is_ram) || is_still_there(gdb.vm, p))
        return 0;
    p->slot = free_slot(); /* that needs no page that is mapped now */
    if (p->slot >= 0 || is_starting(sregs) || (!gdb.int3_exits && is_program(p->gva)))
        return 0;
    return complain(
        -EFAULT, "gdb: no page is mapped at %#lx, so that there is no place for a breakpoint yet; %s", p->gva,
        gdb.int3_exits ? "at most 4 can wait for one, in debug registers"
                       : "set it when the guest has mapped it");
}

int point_set(enum gdb_point type, uint64_t gva, uint64_t size)
{
    struct breakpoint *p = point_free(gva);
    struct kvm_sregs sregs;

    if (point_find(type, gva, size))
        return 0; /* "should be implemented in an idempotent way" (appendix E.2) */
    if (!p || ioctl(gdb.vcpu->fd, KVM_GET_SREGS, &sregs) < 0)
        return -ENOSPC;
    p->known &= p->gva == gva;
    p->gva = gva;
    p->size = size;
    p->slot = type == POINT_SOFTWARE ? -1 : free_slot();
    bool watches = type == POINT_WRITE || type == POINT_ACCESS;
    int err = watches ? watch_set(p, type, &sregs) : break_set(p, &sregs);
    if (err == 0)
        p->type = type;
    return err;
}

void point_clear(enum gdb_point type, uint64_t gva, uint64_t size)
{
    struct breakpoint *p = point_find(type, gva, size);

    if (p)
        p->type = POINT_FREE;
}

/* ---- In guest memory, and out again ---- */

static void plant(struct vm *vm, struct breakpoint *new, uint64_t gpa)
{
    uint8_t *byte = guest_ptr(vm, gpa, 1), *code = guest_ptr(vm, gpa, sizeof new->before);

    if (!byte)
        return;
    new->gpa = gpa;
    new->planted = true;
    new->known = code;
    memcpy(new->before, code ?: byte, code ? sizeof new->before : 1);
    *byte = INT3;
}

/* Returns whether one could not be planted, because nothing is mapped there (yet). */
static bool plant_all(struct vm *vm, const struct kvm_sregs *sregs)
{
    bool missing = false;
    struct walk w;

    FOR_EACH_POINT (p) {
        if (!is_break(p) || p->planted || p->slot >= 0)
            continue;
        if (walk(vm, sregs, p->gva, 0, &w))
            plant(vm, p, w.gpa);
        else if (is_still_there(vm, p))
            plant(vm, p, p->gpa);
        missing |= !p->planted;
    }
    return missing;
}

/* Whether there is one of the kind that no debug register has. */
static bool any(bool (*is_kind)(const struct breakpoint *))
{
    FOR_EACH_POINT (p)
        if (is_kind(p) && p->slot < 0)
            return true;
    return false;
}

void break_plant(struct vcpu *vcpu, const struct kvm_sregs *sregs)
{
    struct gdb_vcpu *v = &gdb.vcpus[vcpu->id];

    v->creeping = any(is_watch);
    if (v->creeping)
        gdb.has_stepped = true; /* unlike a kernel without an IDT, this one may be interrupted */
    if (!any(is_break))
        return;
    pthread_mutex_lock(&vcpu->vm->lock);
    /* Without paging, an address is another byte than it will be; only where gdb looks it is what was meant.
     */
    bool plants = sregs->cr0 & CR0_PG || vcpu == gdb.vcpu;
    bool missing = !plants || plant_all(vcpu->vm, sregs);
    bool reported = gdb.int3_exits || int3_plant(vcpu, sregs);
    faults_plant(vcpu, sregs, missing && !gdb.int3_exits);
    pthread_mutex_unlock(&vcpu->vm->lock);
    bool fetches = v->fetching && missing && sregs->cs.dpl == 0; /* in ring 3 another program runs */
    v->fetching = fetches ? v->fetching - 1 : 0;
    v->creeping |= !reported || v->fetching || (missing && is_starting(sregs));
}

/* The guest may have written there meanwhile: a byte that is not ours any more is its own. Two addresses may
 * be one byte of RAM: one of the two has found the guest's byte there, the other INT3, and in either order
 * the guest's is what stays. */
void break_take_out(struct vm *vm)
{
    int3_take_out(vm);
    FOR_EACH_POINT (p) {
        uint8_t *byte = p->planted ? guest_ptr(vm, p->gpa, 1) : NULL;
        if (byte && *byte == INT3)
            *byte = p->before[0];
        p->planted = false;
    }
}
