/*
 * `--trace FILE`: every exit of the guest, with what it was about and how long guest and handler took, and
 * the console's bytes beside them. It stands between the vCPU loop and the handlers, so without the option
 * there is nothing to slow anybody down.
 */
#include <unistd.h>
#include "../feature.h"
#include "trace.h"

struct trace trace;
__thread struct vcpu *trace_current;

static void (*handlers[EXIT_REASONS])(struct vcpu *); /* as they were before ours */
static void (*output)(struct vm *vm, const void *data, size_t size);

static struct option options[] = {
    {.name = "trace",
     .arg = "FILE",
     .help = "write all exits to FILE, for Perfetto, chrome://tracing, terrarium report"},
    {.name = "trace-only",
     .arg = "WORDS",
     .help = "only these, as in io,uart16550,syscall: exits, devices, events"},
    {.name = "trace-every", .arg = "N", .help = "only every N-th exit of a vCPU (1)"},
    {.name = "trace-limit", .arg = "N", .help = "no more than N events (1000000)"},
    {0},
};

uint64_t trace_now(void)
{
    return host_now() - trace.start;
}

/* The first item that an exit moves; zero-extended. */
static uint64_t exit_value(const struct kvm_run *run)
{
    uint64_t value = 0;

    if (run->exit_reason == KVM_EXIT_IO)
        memcpy(&value, (const uint8_t *)run + run->io.data_offset, run->io.size);
    else if (run->exit_reason == KVM_EXIT_MMIO && run->mmio.len <= sizeof value)
        memcpy(&value, run->mmio.data, run->mmio.len);
    return value;
}

static struct trace_event describe(const struct vcpu *vcpu)
{
    const struct exit_note *note = &vcpu->last[vcpu->last_index];

    return (struct trace_event){
        .kind = TRACE_EXIT,
        .vcpu = vcpu->id,
        .reason = note->reason,
        .is_write = note->is_write,
        .addr = note->addr,
        .size = note->size,
        .count = note->reason == KVM_EXIT_IO ? vcpu->run->io.count : 1,
        .value = exit_value(vcpu->run),
        .rip = vcpu->run->s.regs.regs.rip,
    };
}

/* Whether to record this exit. */
static bool chosen(struct trace_vcpu *t, const struct trace_event *e)
{
    t->seen++;
    return trace_wants(e) && t->wanted++ % trace.every == 0;
}

/* The handler has done its work. */
static void record(struct trace_vcpu *t, struct trace_event *e)
{
    e->end = trace_now();
    e->guest_ns = t->left_ns == UNKNOWN_NS ? UNKNOWN_NS : e->begin - t->left_ns;
    trace_put(e);
}

/* Every exit comes here and is given to the handler that it had before. The clock is read only where an event
 * needs it. */
static void trace_handle(struct vcpu *vcpu)
{
    struct trace_vcpu *t = &trace.vcpus[vcpu->id];
    struct trace_event e = describe(vcpu);
    bool is_chosen = chosen(t, &e);

    trace_current = vcpu;
    if (is_chosen)
        e.begin = trace_now();
    handlers[e.reason % EXIT_REASONS](vcpu);
    if (is_chosen && !e.is_write)
        e.value = exit_value(vcpu->run); /* what the device answered */
    if (is_chosen)
        record(t, &e);
    trace_guest_collect(vcpu);
    t->left_ns = t->wanted % trace.every == 0 ? trace_now() : UNKNOWN_NS; /* the next may count */
}

/* An exit that has no handler is the guest's end. The post-mortem may have run the guest once more: where it
 * was is not known here. */
static bool trace_died(struct vcpu *vcpu, const char *what)
{
    struct trace_vcpu *t = &trace.vcpus[vcpu->id];
    struct trace_event e = describe(vcpu);

    (void)what;
    e.rip = 0;
    if (vcpu->vm == trace.vm && vcpu->exit_count > t->seen && chosen(t, &e)) {
        e.begin = trace_now();
        record(t, &e);
    }
    return false;
}

/* The console's bytes, in pieces as an event has room for. Called with vm->lock held. */
static void trace_output(struct vm *vm, const void *data, size_t size)
{
    struct trace_event e = {.kind = TRACE_CONSOLE, .begin = trace_now()};

    e.end = e.begin;
    e.vcpu = trace_current ? trace_current->id : MAX_VCPUS;
    for (size_t done = 0; done < size; done += e.size) {
        e.size = (uint32_t)(size - done < sizeof e.text ? size - done : sizeof e.text);
        memcpy(e.text, (const char *)data + done, e.size);
        trace_put(&e);
    }
    if (output)
        output(vm, data, size);
    else
        vm_write(vm, STDOUT_FILENO, "stdout", data, size);
}

static int trace_attach(struct vm *vm)
{
    if (!options[0].value)
        return options[1].value || options[2].value || options[3].value
                   ? complain(-EINVAL, "--trace-only, -every and -limit go with a trace; add --trace FILE")
                   : 0;
    uint64_t start = trace.start ?: host_now(); /* a reset is no new beginning */
    trace = (struct trace){.vm = vm, .path = options[0].value, .only = options[1].value, .start = start};
    return parse_number("--trace-every", options[2].value ?: "1", 1, UINT32_MAX, &trace.every)
               ?: parse_number("--trace-limit", options[3].value ?: "1000000", 1, INT64_MAX, &trace.max)
               ?: trace_guest_attach();
}

static int trace_vcpu(struct vcpu *vcpu)
{
    trace.vcpus[vcpu->id].left_ns = UNKNOWN_NS;
    if (trace.vm) /* RIP then comes with each exit, without a system call */
        vcpu->run->kvm_valid_regs |= KVM_SYNC_X86_REGS;
    return 0;
}

/* All features have attached: the devices and the handlers are known. */
static int trace_boot(struct vm *vm)
{
    if (!trace.vm)
        return 0;
    int err = trace_filter_check() ?: trace_file_start();
    if (err < 0)
        return err;
    memcpy(handlers, vm->handlers, sizeof handlers);
    for (unsigned i = 0; i < EXIT_REASONS; i++)
        if (handlers[i])
            vm->handlers[i] = trace_handle;
    if (trace_wants(&(struct trace_event){.kind = TRACE_CONSOLE})) {
        output = vm->output;
        vm->output = trace_output;
    }
    return 0;
}

static void trace_ended(struct vm *vm)
{
    if (!trace.vm)
        return;
    for (unsigned i = 0; i < vm->cpus && vm->vcpus[i]; i++)
        trace_guest_collect(vm->vcpus[i]);
    bool reset = vm->status == STATUS_RESET;
    trace_file_end(reset);
    trace = (struct trace){.start = reset ? trace.start : 0};
}

FEATURE(tracing) = {
    .name = "trace",
    .lab = 10,
    .help = "all that happens, in a file for Perfetto, chrome://tracing and terrarium report",
    .options = options,
    .attach = trace_attach,
    .vcpu = trace_vcpu,
    .boot = trace_boot,
    .died = trace_died,
    .ended = trace_ended,
};
