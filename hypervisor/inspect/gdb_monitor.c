/* gdb's `monitor`: what a machine has and a program has not. */
#include <stdlib.h>
#include "../virtio/virtio.h"
#include "gdb.h"
#include "inspect.h"

#define LAPIC_ID          0x20 /* offsets of its registers (Intel SDM 3A table 11-1) */
#define LAPIC_TPR         0x80
#define LAPIC_ISR         0x100
#define LAPIC_IRR         0x200
#define LAPIC_LVT_TIMER   0x320
#define LAPIC_TIMER_COUNT 0x390

static FILE *out;

static void monitor_exits(const char *text)
{
    (void)text;
    for (unsigned i = 0; i < gdb.vm->cpus; i++) {
        const struct vcpu *vcpu = gdb.vm->vcpus[i];
        fprintf(out, "vCPU %u: %lu exits\n", i, vcpu->exit_count);
        for (unsigned reason = 0; reason < EXIT_REASONS; reason++)
            if (vcpu->exits[reason])
                fprintf(out, "%10lu  %s\n", vcpu->exits[reason], exit_reason_name(reason));
    }
}

static void monitor_walk(const char *text)
{
    struct kvm_sregs sregs;
    struct walk w;
    char *end;
    uint64_t gva = strtoull(text, &end, 0);

    if (end == text || ioctl(gdb.vcpu->fd, KVM_GET_SREGS, &sregs) < 0) {
        fprintf(out, "walk: give an address, like 0xffffffff80100000\n");
        return;
    }
    walk(gdb.vm, &sregs, gva, 0, &w);
    fprintf(out, "%016lx -> ", gva);
    walk_print(out, &w);
    for (unsigned i = 0; i < w.count; i++)
        fprintf(out, "  %-5s[%3u] at %010lx: %016lx\n", w.levels[i].name, w.levels[i].index,
                w.levels[i].entry_gpa, w.levels[i].entry);
}

static void print_queue(const struct virtqueue *q, unsigned number)
{
    const struct vring_index {
        uint16_t flags, index;
    } *avail = guest_ptr(gdb.vm, q->avail, 4), *used = guest_ptr(gdb.vm, q->used, 4);

    if (!q->ready || !avail || !used) {
        fprintf(out, "  queue %u: not set up\n", number);
        return;
    }
    fprintf(
        out,
        "  queue %u: %u descriptors at %lx; available: %lx, index %u, taken up to %u; used: %lx, index %u\n",
        number, q->size, q->desc, q->avail, avail->index, q->next_avail, q->used, used->index);
}

static void print_device(struct virtio_device *v)
{
    fprintf(out, "%s at %lx, interrupt %u: status %x, features %lx\n", v->name, v->gpa, v->line,
            v->state->status, v->state->features);
    for (unsigned i = 0; i < v->type->queues; i++)
        print_queue(&v->state->queues[i], i);
}

static void monitor_virtq(const char *text)
{
    (void)text;
    pthread_mutex_lock(&gdb.vm->lock);
    virtio_each(gdb.vm, print_device);
    pthread_mutex_unlock(&gdb.vm->lock);
}

static void print_segment(const char *name, const struct kvm_segment *s)
{
    fprintf(out, "%s %04x  base %016llx  limit %08x  ring %u  type %x%s%s%s\n", name, s->selector, s->base,
            s->limit, s->dpl, s->type,
            s->l    ? ", 64-bit"
            : s->db ? ", 32-bit"
                    : "",
            s->present ? "" : ", absent", s->unusable ? ", unusable" : "");
}

static void monitor_regs(const char *text)
{
    struct kvm_sregs s;

    (void)text;
    if (ioctl(gdb.vcpu->fd, KVM_GET_SREGS, &s) < 0)
        return;
    fprintf(out, "CR0 %llx  CR2 %llx  CR3 %llx  CR4 %llx  EFER %llx\n", s.cr0, s.cr2, s.cr3, s.cr4, s.efer);
    fprintf(out, "GDT %llx, limit %x  IDT %llx, limit %x\n", s.gdt.base, s.gdt.limit, s.idt.base,
            s.idt.limit);
    print_segment("CS", &s.cs);
    print_segment("SS", &s.ss);
    print_segment("DS", &s.ds);
    print_segment("FS", &s.fs);
    print_segment("GS", &s.gs);
    print_segment("TR", &s.tr);
}

static uint32_t lapic_read(const struct kvm_lapic_state *lapic, unsigned offset)
{
    uint32_t value;

    memcpy(&value, lapic->regs + offset, sizeof value);
    return value;
}

/* Vectors are bits, 32 in each 16 bytes. */
static void print_vectors(const char *what, const struct kvm_lapic_state *lapic, unsigned offset)
{
    fprintf(out, "%s:", what);
    for (unsigned vector = 0; vector < 256; vector++)
        if (lapic_read(lapic, offset + vector / 32 * 16) >> vector % 32 & 1)
            fprintf(out, " %u", vector);
    fprintf(out, "\n");
}

static void monitor_lapic(const char *text)
{
    struct kvm_lapic_state lapic;

    (void)text;
    if (ioctl(gdb.vcpu->fd, KVM_GET_LAPIC, &lapic) < 0) {
        fprintf(out, "this machine has no local APIC\n");
        return;
    }
    fprintf(out, "local APIC of vCPU %u: id %08x, task priority %x, timer entry %x, count %u\n", gdb.vcpu->id,
            lapic_read(&lapic, LAPIC_ID), lapic_read(&lapic, LAPIC_TPR), lapic_read(&lapic, LAPIC_LVT_TIMER),
            lapic_read(&lapic, LAPIC_TIMER_COUNT));
    print_vectors("in service", &lapic, LAPIC_ISR);
    print_vectors("requested", &lapic, LAPIC_IRR);
}

static void monitor_physical(const char *text)
{
    if (!strcmp(text, "on") || !strcmp(text, "off"))
        gdb.physical = !strcmp(text, "on");
    fprintf(out, "addresses are %s\n", gdb.physical ? "physical" : "virtual");
}

/* The new machine waits at its first instruction. */
static void monitor_reset(const char *text)
{
    (void)text;
    fprintf(out, "The machine is made anew. gdb still shows the registers of the old one: type\n"
                 "'maintenance flush register-cache'.\n");
    vm_stop(gdb.vm, STATUS_RESET);
}

static void monitor_help(const char *text);

static const struct {
    const char *name, *help;
    void (*run)(const char *text);
} commands[] = {
    {"help", "this list", monitor_help},
    {"exits", "how often each vCPU has left the guest, and why", monitor_exits},
    {"walk", "ADDR: the page walk of a virtual address", monitor_walk},
    {"virtq", "the virtio devices and their queues", monitor_virtq},
    {"regs", "control registers, segments, GDT and IDT", monitor_regs},
    {"lapic", "the local APIC", monitor_lapic},
    {"physical", "on | off: memory commands take physical addresses", monitor_physical},
    {"reset", "start the machine again", monitor_reset},
};

static void monitor_help(const char *text)
{
    (void)text;
    for (size_t i = 0; i < COUNT(commands); i++)
        fprintf(out, "monitor %-9s %s\n", commands[i].name, commands[i].help);
}

void monitor_command(char *line, FILE *output)
{
    char *rest = line, *name = strsep(&rest, " ");

    out = output;
    for (size_t i = 0; i < COUNT(commands); i++)
        if (strcmp(name, commands[i].name) == 0) {
            commands[i].run(rest ?: "");
            return;
        }
    fprintf(out, "monitor: no command '%s'\n", name);
    monitor_help("");
}
