/* The post-mortem: when a guest dies, print what happened, the likely cause, and all that leads to it. */
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "../feature.h"
#include "autopsy.h"

#define FRAMES_MAX 10000 /* of a backtrace; a chain that long is an overflow or a loop */
#define LINES_MAX  16

static void print_cause(FILE *out, const struct autopsy *a)
{
    const struct kvm_run *run = a->vcpu->run;

    if (a->reason == KVM_EXIT_SHUTDOWN)
        diagnose(out, a);
    else if (a->reason == KVM_EXIT_FAIL_ENTRY)
        fprintf(out,
                "Cause: the CPU refused to enter the guest (hardware reason 0x%llx): its registers "
                "contradict each other.\n"
                "  Look at CR0, CR4, EFER and the segments below, and at what last changed them.\n",
                (unsigned long long)run->fail_entry.hardware_entry_failure_reason);
    else if (a->reason == KVM_EXIT_INTERNAL_ERROR)
        fprintf(out, "Cause: KVM cannot go on (suberror %u): %s.\n", run->internal.suberror,
                run->internal.suberror == 1
                    ? "it had to emulate the instruction at RIP and does not know it; often the guest runs"
                      " data, or uses such an instruction on device memory"
                    : "an exit came in the middle of delivering an event, often because the IDT, a"
                      " stack or a page table lies in device memory");
    else
        fprintf(out, "Cause: nothing in this build handles this exit.\n");
}

static void print_registers(FILE *out, const struct autopsy *a)
{
    const struct kvm_regs *r = &a->regs;
    const struct kvm_sregs *s = &a->sregs;
    const uint64_t values[] = {r->rax, r->rbx, r->rcx, r->rdx, r->rsi, r->rdi, r->rbp, r->rsp,
                               r->r8,  r->r9,  r->r10, r->r11, r->r12, r->r13, r->r14, r->r15};
    static const char *const names[] = {"RAX", "RBX", "RCX", "RDX", "RSI", "RDI", "RBP", "RSP",
                                        "R8 ", "R9 ", "R10", "R11", "R12", "R13", "R14", "R15"};

    fprintf(out, "Registers:");
    for (unsigned i = 0; i < 16; i++)
        fprintf(out, "%s%s %016" PRIx64, i % 4 ? "  " : "\n  ", names[i], values[i]);
    fprintf(out,
            "\n  RFLAGS %" PRIx64 "  CR0 %" PRIx64 "  CR2 %" PRIx64 "  CR3 %" PRIx64 "  CR4 %" PRIx64
            "  EFER %" PRIx64 "\n",
            (uint64_t)r->rflags, (uint64_t)s->cr0, a->faulted ? a->cr2 : (uint64_t)s->cr2, (uint64_t)s->cr3,
            (uint64_t)s->cr4, (uint64_t)s->efer);
    fprintf(out, "  CS %04x  SS %04x  DS %04x  TR %04x  GDT %" PRIx64 "+%x  IDT %" PRIx64 "+%x\n",
            s->cs.selector, s->ss.selector, s->ds.selector, s->tr.selector, (uint64_t)s->gdt.base,
            s->gdt.limit, (uint64_t)s->idt.base, s->idt.limit);
}

static void print_instruction(FILE *out, const struct autopsy *a)
{
    uint8_t bytes[15]; /* no instruction is longer */
    uint64_t rip = a->sregs.cs.base + a->regs.rip;
    size_t n = walk_read(a->vcpu->vm, &a->sregs, rip, bytes, sizeof bytes);

    fprintf(out, "RIP ");
    print_address(out, a, a->regs.rip);
    fprintf(out, "\n  bytes:");
    for (size_t i = 0; i < n; i++)
        fprintf(out, " %02x", bytes[i]);
    fprintf(out, n ? "\n" : " cannot be read\n");
}

static void print_walk(FILE *out, const struct autopsy *a, const char *name, uint64_t gva, unsigned access)
{
    struct walk w;

    walk(a->vcpu->vm, &a->sregs, gva, access, &w);
    fprintf(out, "  %s ", name);
    print_address(out, a, gva);
    fprintf(out, " -> ");
    walk_print(out, &w);
}

static void print_walks(FILE *out, const struct autopsy *a)
{
    uint64_t cr2 = a->faulted ? a->cr2 : a->sregs.cr2;
    unsigned user = (a->sregs.cs.selector & 3) == 3 ? WALK_USER : 0;

    fprintf(out, "Page walks:\n");
    print_walk(out, a, "RIP", a->sregs.cs.base + a->regs.rip, WALK_FETCH | user);
    print_walk(out, a, "RSP", a->sregs.ss.base + a->regs.rsp, WALK_WRITE | user);
    if (cr2)
        print_walk(out, a, "CR2", cr2, user);
}

static void print_frame(FILE *out, const struct autopsy *a, uint64_t addr, unsigned repeats)
{
    fprintf(out, "  ");
    print_address(out, a, addr);
    if (repeats > 1)
        fprintf(out, "  x %u", repeats);
    fputc('\n', out);
}

/* Follow the frame pointers: each points to the caller's, and the return address lies above it. */
static void print_backtrace(FILE *out, const struct autopsy *a)
{
    uint64_t frame[2], rbp = a->regs.rbp, addr = a->regs.rip;
    unsigned repeats = 1, lines = 0;

    fprintf(out, "Backtrace (by frame pointers):\n");
    for (unsigned i = 0; i < FRAMES_MAX && lines < LINES_MAX; i++) {
        if (walk_read(a->vcpu->vm, &a->sregs, rbp, frame, 16) != 16 || frame[1] == 0)
            break;
        if (frame[1] == addr) {
            repeats++;
        } else {
            print_frame(out, a, addr, repeats);
            repeats = 1;
            lines++;
        }
        addr = frame[1];
        if (frame[0] <= rbp) /* callers lie higher on the stack; anything else is no chain */
            break;
        rbp = frame[0];
    }
    print_frame(out, a, addr, repeats);
}

static void print_last_exits(FILE *out, const struct vcpu *vcpu)
{
    const unsigned size = sizeof vcpu->last / sizeof vcpu->last[0];

    fprintf(out, "Last exits, oldest first:\n");
    for (unsigned i = 1; i <= size; i++) {
        const struct exit_note *n = &vcpu->last[(vcpu->last_index + i) % size];
        if (n->count == 0)
            continue;
        fprintf(out, "  %s", exit_reason_name(n->reason));
        if (n->size)
            fprintf(out, " %s 0x%" PRIx64 ", %u byte%s", n->is_write ? "to" : "from", n->addr, n->size,
                    n->size > 1 ? "s" : "");
        fprintf(out, n->count > 1 ? "  x %" PRIu64 "\n" : "\n", n->count);
    }
}

/* The dead guest runs again for a moment to show why it died. Whatever it does then, a signal ends it every
 * few seconds. */
static void limit_time(timer_t *timer)
{
    const struct itimerspec every = {.it_value.tv_sec = 5, .it_interval.tv_sec = 5};
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = KICK_SIGNAL};

    event._sigev_un._tid = gettid();
    timer_create(CLOCK_MONOTONIC, &event, timer);
    timer_settime(*timer, 0, &every, NULL);
}

static bool postmortem_died(struct vcpu *vcpu, const char *what)
{
    struct autopsy a = {.vcpu = vcpu, .reason = vcpu->run->exit_reason};
    FILE *out = stderr;
    timer_t timer;

    limit_time(&timer);
    reenact(&a);
    if (a.reason == KVM_EXIT_SHUTDOWN)
        probe_exception(&a);
    timer_delete(timer);
    symbols_load(&a.symbols, vcpu->vm->kernel_fd);
    fprintf(out, "\nThe guest died: %s on vCPU %u after %" PRIu64 " exits.\n", what, vcpu->id,
            vcpu->exit_count);
    print_cause(out, &a);
    print_instruction(out, &a);
    print_walks(out, &a);
    print_registers(out, &a);
    print_backtrace(out, &a);
    print_last_exits(out, vcpu);
    if (a.note)
        fprintf(out, "Note: %s\n", a.note);
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
