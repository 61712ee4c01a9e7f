/* gdb's `monitor`: what a machine has and a program has not. What the control socket can tell, it tells here,
 * too. */
#include "control.h"
#include "gdb.h"

#define LAPIC_ISR         0x100 /* offsets of its registers (Intel SDM 3A table 11-1) */
#define LAPIC_IRR         0x200
#define LAPIC_LVT_TIMER   0x320
#define LAPIC_TIMER_COUNT 0x390

static FILE *out;

static void monitor_exits(void)
{
    for (unsigned i = 0; i < gdb.vm->cpus; i++) {
        const struct vcpu *vcpu = gdb.vm->vcpus[i];
        fprintf(out, "vCPU %u: %lu exits\n", i, vcpu->exit_count);
        for (unsigned reason = 0; reason < EXIT_REASONS; reason++)
            if (vcpu->exits[reason])
                fprintf(out, "%10lu  %s\n", vcpu->exits[reason], exit_reason_name(reason));
    }
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

static void monitor_lapic(void)
{
    struct kvm_lapic_state lapic;

    if (ioctl(gdb.vcpu->fd, KVM_GET_LAPIC, &lapic) < 0) {
        fprintf(out, "this machine has no local APIC\n");
        return;
    }
    fprintf(out, "local APIC of vCPU %u: timer entry %x, count %u\n", gdb.vcpu->id,
            lapic_read(&lapic, LAPIC_LVT_TIMER), lapic_read(&lapic, LAPIC_TIMER_COUNT));
    print_vectors("in service", &lapic, LAPIC_ISR);
    print_vectors("requested", &lapic, LAPIC_IRR);
}

/* The new machine waits at its first instruction. */
static void monitor_reset(void)
{
    fprintf(out, "The machine is made anew. gdb still shows the registers of the old one: type\n"
                 "'maintenance flush register-cache'.\n");
    vm_stop(gdb.vm, STATUS_RESET);
}

static void monitor_help(void);

static const struct {
    const char *name, *help;
    void (*run)(void);
} commands[] = {
    {"help", "this list", monitor_help},
    {"exits", "how often each vCPU has left the guest, and why", monitor_exits},
    {"lapic", "the local APIC", monitor_lapic},
    {"reset", "start the machine again", monitor_reset},
};

static void monitor_help(void)
{
    for (size_t i = 0; i < COUNT(commands); i++)
        fprintf(out, "monitor %-9s %s\n", commands[i].name, commands[i].help);
    for (struct control **c = __start_controls; c < __stop_controls; c++)
        if (strcmp((*c)->name, "help") != 0)
            fprintf(out, "monitor %-9s %s%s%s\n", (*c)->name, (*c)->synopsis, *(*c)->synopsis ? ": " : "",
                    (*c)->help);
}

/* Returns whether there is such a command. The vCPUs stand still already. */
static bool ask_control(const char *name, char *words)
{
    const struct control *control = control_find(name);
    const char *arguments[CONTROL_ARGUMENTS];

    for (unsigned i = 0; i < CONTROL_ARGUMENTS; i++)
        arguments[i] = words ? strsep(&words, " ") : "";
    if (!control)
        return false;
    pthread_mutex_lock(&gdb.vm->lock);
    if (!control->run(gdb.vm, arguments, out))
        fputc('\n', out); /* a reason why not has no end of line */
    pthread_mutex_unlock(&gdb.vm->lock);
    return true;
}

void monitor_command(char *line, FILE *output)
{
    char *rest = line, *name = strsep(&rest, " ");

    out = output;
    for (size_t i = 0; i < COUNT(commands); i++)
        if (strcmp(name, commands[i].name) == 0) {
            commands[i].run();
            return;
        }
    if (ask_control(name, rest))
        return;
    fprintf(out, "monitor: no command '%s'\n", name);
    monitor_help();
}
