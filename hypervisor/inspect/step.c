/*
 * `--step-after N`: from the guest's N-th exit on, one instruction at a time, so that the registers before
 * the last one are known even where KVM forgets them when the guest dies. The answer to a post-mortem that
 * found no cause.
 */
#include "../feature.h"
#include "inspect.h"

static uint64_t after;
static void (*handlers[EXIT_REASONS])(struct vcpu *); /* as they were before ours */

static int after_set(const char *value)
{
    return parse_number("--step-after", value, 1, INT64_MAX, &after);
}

static struct option options[] = {
    {.name = "step-after",
     .arg = "N",
     .help = "after N exits, go on an instruction at a time: slow, but a death is seen exactly",
     .set = after_set},
    {0},
};

static void step_handle(struct vcpu *vcpu)
{
    unsigned reason = vcpu->run->exit_reason % EXIT_REASONS;

    if (handlers[reason])
        handlers[reason](vcpu);
    if (vcpu->exit_count < after)
        return;
    single_step(vcpu, true);
}

static int step_boot(struct vm *vm)
{
    if (!options[0].value)
        return 0;
    memcpy(handlers, vm->handlers, sizeof handlers);
    for (unsigned i = 0; i < EXIT_REASONS; i++)
        if (handlers[i] || i == KVM_EXIT_DEBUG)
            vm->handlers[i] = step_handle;
    return 0;
}

FEATURE(step) = {
    .name = "step",
    .lab = 4,
    .help = "a guest's last instructions one by one",
    .options = options,
    .boot = step_boot,
};
