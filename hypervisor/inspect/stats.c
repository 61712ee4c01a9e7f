/* `--stats`: how often the guest left for the hypervisor, why, to which device, and what each cost. */
#include <stdio.h>
#include "../feature.h"

static struct option options[] = {
    {.name = "stats",
     .help = "at the end, print exits by reason and by device with the time in their handlers"},
    {0},
};

static int stats_attach(struct vm *vm)
{
    vm->timed = options[0].value != NULL;
    return 0;
}

static void stats_line(uint64_t count, uint64_t ns, const char *name)
{
    if (count > 0)
        fprintf(stderr, "%10lu %12.3f ms %10.2f us  %s\n", count, (double)ns / 1e6,
                (double)ns / 1e3 / (double)count, name);
}

static void stats_bus(const struct bus *bus)
{
    for (unsigned i = 0; i < bus->count; i++)
        stats_line(bus->claims[i].accesses, bus->claims[i].ns, bus->claims[i].name);
}

static void stats_ended(struct vm *vm)
{
    if (!options[0].value)
        return;
    for (unsigned i = 0; i < vm->cpus && vm->vcpus[i]; i++) {
        const struct vcpu *vcpu = vm->vcpus[i];
        fprintf(stderr, "vCPU %u: %lu exits\n     count      in handlers         each  reason\n", i,
                vcpu->exit_count);
        for (unsigned r = 0; r < EXIT_REASONS; r++)
            stats_line(vcpu->exits[r], vcpu->exit_ns[r], exit_reason_name(r));
    }
    fprintf(stderr, "     count       in devices         each  device\n");
    stats_bus(&vm->ports);
    stats_bus(&vm->mmio);
}

FEATURE(stats) = {
    .name = "stats",
    .lab = 1,
    .help = "count exits and measure their handlers",
    .options = options,
    .attach = stats_attach,
    .ended = stats_ended,
};
