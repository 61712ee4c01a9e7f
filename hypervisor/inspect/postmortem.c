/* The post-mortem: when a guest dies, print what happened, the likely cause, and all that leads to it. */
#include <signal.h>
#include <time.h>
#include <unistd.h>
#include "../feature.h"
#include "inspect.h"
#include "x86.h"

#define FRAMES_MAX 10000 /* of a backtrace; a chain that long is an overflow or a loop */
#define LINES_MAX  16
#define RESET_BASE 0xffff0000ul

static void print_walk(const struct autopsy *a, const char *name, uint64_t gva, unsigned access)
{
    struct walk w;

    fprintf(a->out, "  %s ", name);
    symbols_print(a->out, &a->symbols, gva);
    fprintf(a->out, " -> ");
    walk(a->vcpu->vm, &a->sregs, gva, access, &w);
    walk_print(a->out, &w);
}

/* KVM emulates an instruction that touches no RAM, or is not in it; it does not know all. */
static void print_emulation(struct autopsy *a)
{
    uint64_t rip = a->sregs.cs.base + a->regs.rip;
    struct walk w;

    walk(a->vcpu->vm, &a->sregs, rip, WALK_FETCH | a->ring, &w);
    if (a->vcpu->run->internal.suberror != 1) {
        fprintf(a->out, "an exception or interrupt cannot be delivered, for an IDT, a stack or a page table "
                        "is not in RAM");
    } else if (w.page_size && !w.is_ram) {
        fprintf(a->out, "it runs where there is no RAM: RIP %lx leads to guest-physical %lx", rip, w.gpa);
        a->advice = a->sregs.cs.base == RESET_BASE
                        ? "CS still has the base of a CPU after reset, ffff0000: set base and selector, too."
                        : "A jump to a wrong address, or page tables that lead to a wrong one.";
    } else {
        fprintf(a->out, "KVM cannot emulate the instruction at RIP %lx, which touches what is no RAM", rip);
        a->advice = "Such memory is a device's: use plain moves. Or the guest runs data, by a wrong jump.";
    }
}

/* The rest of the first line. */
static void print_cause(struct autopsy *a, const char *what)
{
    if (a->reason == KVM_EXIT_SHUTDOWN)
        diagnose(a);
    else if (a->reason == KVM_EXIT_INTERNAL_ERROR)
        print_emulation(a);
    else if (a->reason == KVM_EXIT_FAIL_ENTRY)
        fprintf(a->out, "its registers contradict each other%s",
                a->sregs.cs.l && a->sregs.cs.db ? ": CS has both L (64-bit) and D (32-bit)"
                                                : "; look at CR0, CR4, EFER and the segments");
    else
        fprintf(a->out, "nothing in this build handles this: %s", what);
}

static void print_registers(const struct autopsy *a)
{
    static const char names[16][4] = {"RAX", "RBX", "RCX", "RDX", "RSI", "RDI", "RSP", "RBP",
                                      "R8 ", "R9 ", "R10", "R11", "R12", "R13", "R14", "R15"};
    const struct kvm_sregs *s = &a->sregs;
    const unsigned long long *values = &a->regs.rax; /* and so on, in this order */

    fprintf(a->out, "Registers:");
    for (unsigned i = 0; i < COUNT(names); i++)
        fprintf(a->out, "%s%s %016llx", i % 4 ? "  " : "\n  ", names[i], values[i]);
    fprintf(a->out, "\n  RFLAGS %llx  CR0 %llx  CR2 %lx  CR3 %llx  CR4 %llx  EFER %llx\n", a->regs.rflags,
            s->cr0, a->cr2, s->cr3, s->cr4, s->efer);
    fprintf(a->out, "  CS %04x  SS %04x  DS %04x  TR %04x  GDT %llx+%x  IDT %llx+%x\n", s->cs.selector,
            s->ss.selector, s->ds.selector, s->tr.selector, s->gdt.base, s->gdt.limit, s->idt.base,
            s->idt.limit);
}

static void print_instruction(const struct autopsy *a)
{
    uint8_t bytes[15]; /* no instruction is longer */
    size_t n = walk_read(a->vcpu->vm, &a->sregs, a->sregs.cs.base + a->regs.rip, bytes, sizeof bytes);

    fprintf(a->out, "RIP ");
    symbols_print(a->out, &a->symbols, a->regs.rip);
    fprintf(a->out, "\n  bytes:");
    for (size_t i = 0; i < n; i++)
        fprintf(a->out, " %02x", bytes[i]);
    fprintf(a->out, n ? "\n" : " cannot be read\n");
}

static void print_walks(const struct autopsy *a)
{
    fprintf(a->out, "Page walks:\n");
    print_walk(a, "RIP", a->sregs.cs.base + a->regs.rip, WALK_FETCH | a->ring);
    print_walk(a, "RSP", a->sregs.ss.base + a->regs.rsp, WALK_WRITE | a->ring);
    if (a->cr2 || (a->faulted && a->vector == PAGE_FAULT))
        print_walk(a, "CR2", a->cr2, a->access);
    if (a->broken.name)
        print_walk(a, a->broken.name, a->broken.gva, a->broken.access);
}

static void print_frame(const struct autopsy *a, uint64_t addr, unsigned repeats)
{
    fprintf(a->out, "  ");
    symbols_print(a->out, &a->symbols, addr);
    fprintf(a->out, repeats > 1 ? "  x %u\n" : "\n", repeats);
}

/* Follow the frame pointers: each points to the caller's, and the return address lies above it. */
static void print_backtrace(const struct autopsy *a)
{
    uint64_t frame[2], rbp = a->regs.rbp, addr = a->regs.rip;
    unsigned repeats = 1, lines = 0;

    fprintf(a->out, "Backtrace (by frame pointers):\n");
    for (unsigned i = 0; i < FRAMES_MAX && lines < LINES_MAX; i++) {
        if (walk_read(a->vcpu->vm, &a->sregs, rbp, frame, 16) != 16 || frame[1] == 0)
            break;
        repeats++;
        if (frame[1] != addr) {
            print_frame(a, addr, repeats - 1);
            repeats = 1;
            lines++;
        }
        addr = frame[1];
        if (frame[0] <= rbp) /* callers lie higher on the stack; anything else is no chain */
            break;
        rbp = frame[0];
    }
    print_frame(a, addr, repeats);
}

static void print_last_exits(const struct autopsy *a)
{
    fprintf(a->out, "Last exits, oldest first:\n");
    for (unsigned i = 1; i <= LAST_EXITS; i++) {
        const struct exit_note *n = &a->vcpu->last[(a->vcpu->last_index + i) % LAST_EXITS];
        if (n->count == 0)
            continue;
        fprintf(a->out, "  %s", exit_reason_name(n->reason));
        if (n->size)
            fprintf(a->out, " %s 0x%lx, %u byte%s", n->is_write ? "to" : "from", n->addr, n->size,
                    n->size > 1 ? "s" : "");
        fprintf(a->out, n->count > 1 ? "  x %lu\n" : "\n", n->count);
    }
}

/* The dead guest runs again for a moment to show why it died: end each KVM_RUN that does not come back. */
static void limit_time(timer_t *timer)
{
    const struct itimerspec every = {.it_value.tv_nsec = 200000000, .it_interval.tv_nsec = 200000000};
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = KICK_SIGNAL};

    event._sigev_un._tid = gettid();
    timer_create(CLOCK_MONOTONIC, &event, timer);
    timer_settime(*timer, 0, &every, NULL);
}

/* A page fault's error code says what the access was (Intel SDM 3A §4.7); of an older CR2 nothing is known.
 */
static void find_access(struct autopsy *a)
{
    a->ring = (a->sregs.cs.selector & 3) == 3 ? WALK_USER : a->regs.rflags & RFLAGS_AC ? 0 : WALK_SMAP;
    a->access = a->ring;
    if (a->faulted && a->vector == PAGE_FAULT)
        a->access = (a->error & 2 ? WALK_WRITE : 0) | (a->error & 4 ? WALK_USER : a->ring & WALK_SMAP) |
                    (a->error & 16 ? WALK_FETCH : 0);
}

static bool postmortem_died(struct vcpu *vcpu, const char *what)
{
    struct autopsy a = {.out = stderr, .vcpu = vcpu, .reason = vcpu->run->exit_reason};
    timer_t timer;

    limit_time(&timer);
    reenact(&a);
    a.cr2 = a.sregs.cr2;
    if (a.reason == KVM_EXIT_SHUTDOWN)
        probe_exception(&a);
    timer_delete(timer);
    find_access(&a);
    symbols_load(&a.symbols, vcpu->vm->kernel_fd);
    fprintf(a.out, "\nThe guest died: ");
    print_cause(&a, what);
    fprintf(a.out, ".\n");
    if (a.advice)
        fprintf(a.out, "  %s\n", a.advice);
    fprintf(a.out, "What KVM saw: %s on vCPU %u after %lu exits.\n", what, vcpu->id, vcpu->exit_count);
    print_instruction(&a);
    print_walks(&a);
    print_registers(&a);
    print_backtrace(&a);
    print_last_exits(&a);
    if (a.note)
        fprintf(a.out, "Note: %s\n", a.note);
    symbols_free(&a.symbols);
    return true;
}

FEATURE(postmortem) = {
    .name = "post-mortem",
    .lab = 4,
    .help = "explain why a guest died",
    .vcpu = reenact_prepare,
    .died = postmortem_died,
};
