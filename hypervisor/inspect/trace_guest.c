/*
 * The guest's own events (its system calls, switches, faults, interrupts), by a ring in its memory: an event
 * costs the guest a few stores, and no exit.
 *
 * A guest that wants to tell reads a byte from port 0xE4. EVENTS_PRESENT means that a trace is being made;
 * without one it reads all ones. It then writes (4 bytes) the number of the first page of its ring (struct
 * guest_ring) to the port, on each CPU for a ring of that CPU's own. From there on it fills events and moves
 * `head`; we take them while that vCPU stands at an exit, and move `tail`. A guest that finds its ring full
 * writes 0 to the port, for an exit at which we look; if it does not, the oldest events are lost and counted.
 *
 * All of it is the guest's memory and may hold anything: the ring is found by guest_ptr() each time, every
 * event is copied before it is looked at, at most a ring of them is taken at an exit, times are cut to what
 * is possible, and names to printable characters.
 */
#include <ctype.h>
#include <x86intrin.h>
#include "trace.h"
#include "x86.h"

#define EVENTS_PORT    0xE4
#define EVENTS_PRESENT 0x54
#define GUEST_EVENTS   256

struct guest_event {
    uint64_t begin, end; /* time stamp counter */
    uint32_t kind;       /* TRACE_SYSCALL ... TRACE_NAME */
    uint32_t task;
    uint64_t addr, value; /* a fault's address, a call's result: the guest's to choose */
    char name[24];
};

struct guest_ring {
    uint32_t head, tail; /* events written and taken, free-running */
    uint32_t unused[14];
    struct guest_event events[GUEST_EVENTS];
};

struct moment {
    uint64_t ns, tsc; /* since the trace began; our time stamp counter */
};

/* Now, by both clocks: of a few looks the one where the least time passed between the two. */
static struct moment moment_now(void)
{
    struct moment best = {0, 0};
    uint64_t least = UINT64_MAX;

    for (int i = 0; i < 3; i++) {
        uint64_t before = __rdtsc(), ns = trace_now(), between = __rdtsc() - before;
        if (between < least) {
            least = between;
            best = (struct moment){ns, before + between / 2};
        }
    }
    return best;
}

static struct moment first; /* when the trace began */

static uint64_t guest_tsc(struct vcpu *vcpu)
{
    struct {
        uint32_t count, unused;
        struct kvm_msr_entry entry;
    } msrs = {.count = 1, .entry.index = MSR_TSC}; /* laid out as struct kvm_msrs */

    return ioctl(vcpu->fd, KVM_GET_MSRS, &msrs) == 1 ? msrs.entry.data : __rdtsc();
}

static uint64_t events_read(const struct access *a)
{
    (void)a;
    return EVENTS_PRESENT;
}

/* On a vCPU's thread, at its exit: events are taken when the handler has ended. */
static void events_write(const struct access *a, uint64_t page)
{
    uint64_t gpa = a->size == 4 ? page * PAGE_SIZE : 0;
    struct trace_vcpu *t = trace_current ? &trace.vcpus[trace_current->id] : NULL;

    if (!t || !gpa || !guest_ptr(a->vm, gpa, sizeof(struct guest_ring)))
        return;
    t->ring_gpa = gpa;
    t->taken = 0;
    t->tsc_offset = guest_tsc(trace_current) - __rdtsc();
}

int trace_guest_attach(void)
{
    static const struct bus_ops ops = {.sizes = 1 | 4, .read = events_read, .write = events_write};

    first = moment_now();
    return bus_claim(&trace.vm->ports, EVENTS_PORT, 4, "trace-port", &ops, NULL);
}

/* The moment at which the guest's counter showed `tsc`, from the speed of ours; never after `now`. */
static uint64_t when(const struct trace_vcpu *t, uint64_t tsc, const struct moment *now)
{
    uint64_t ago = now->tsc + t->tsc_offset - tsc;
    double ns = (double)ago * ((double)(now->ns - first.ns) / (double)(now->tsc - first.tsc + 1));

    if ((int64_t)ago < 0)
        return now->ns;
    return ns < (double)now->ns ? now->ns - (uint64_t)ns : 0;
}

/* One thread at a time has a CPU. But each look at the two clocks errs by some ns, so that what followed
 * closely might overlap; and of two that overlap on a track Perfetto does not show both there. */
static void follow_last_switch(struct trace_vcpu *t, struct trace_event *e)
{
    if (e->begin < t->switched)
        e->begin = t->switched;
    if (e->end < e->begin)
        e->end = e->begin;
    t->switched = e->end;
}

static void translate(struct vcpu *vcpu, const struct guest_event *g, const struct moment *now)
{
    struct trace_vcpu *t = &trace.vcpus[vcpu->id];
    struct trace_event e = {
        .kind = g->kind, .vcpu = vcpu->id, .task = g->task, .addr = g->addr, .value = g->value};

    if (g->kind < TRACE_SYSCALL || g->kind >= TRACE_KINDS) {
        t->lost++;
        return;
    }
    e.end = when(t, g->end, now);
    e.begin = when(t, g->begin, now);
    e.begin = e.begin < e.end ? e.begin : e.end;
    if (e.kind == TRACE_SWITCH)
        follow_last_switch(t, &e);
    for (unsigned i = 0; i < sizeof g->name && g->name[i]; i++)
        e.text[i] = isprint((unsigned char)g->name[i]) ? g->name[i] : '?';
    if (trace_wants(&e))
        trace_put(&e);
}

void trace_guest_collect(struct vcpu *vcpu)
{
    struct trace_vcpu *t = &trace.vcpus[vcpu->id];
    struct guest_ring *ring = t->ring_gpa ? guest_ptr(vcpu->vm, t->ring_gpa, sizeof *ring) : NULL;
    uint32_t head = ring ? __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE) : t->taken;

    if (head == t->taken)
        return;
    if (head - t->taken > GUEST_EVENTS) {
        t->lost += head - t->taken - GUEST_EVENTS;
        t->taken = head - GUEST_EVENTS;
    }
    struct moment now = moment_now();
    for (; t->taken != head; t->taken++) {
        struct guest_event copy = ring->events[t->taken % GUEST_EVENTS];
        __asm__ volatile("" : "+m"(copy)); /* really a copy: other vCPUs may change the ring while we look */
        translate(vcpu, &copy, &now);
    }
    __atomic_store_n(&ring->tail, head, __ATOMIC_RELEASE);
}
