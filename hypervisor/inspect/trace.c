/*
 * `--trace FILE`: every exit of the guest, with what it was about and how long guest and handler took, and
 * the console's bytes beside them. It stands between the vCPU loop and the handlers, so without the option
 * there is nothing to slow anybody down.
 */
#include <stdlib.h>
#include <unistd.h>
#include "../feature.h"
#include "trace.h"

#define LIMIT 1000000 /* events; Chrome's format takes some 200 bytes for each */

static uint64_t every = 1, limit = LIMIT;
static struct trace *trace;                           /* NULL: no trace was asked for */
static void (*handlers[EXIT_REASONS])(struct vcpu *); /* as they were before ours */
static void (*output)(struct vm *vm, const void *data, size_t size);

__thread struct vcpu *trace_current;

static int every_set(const char *value)
{
    return parse_number("--trace-every", value, 1, UINT32_MAX, &every);
}

static int limit_set(const char *value)
{
    return parse_number("--trace-limit", value, 1, INT64_MAX, &limit);
}

static struct option options[] = {
    {.name = "trace",
     .arg = "FILE",
     .help = "write all exits to FILE, for Perfetto, chrome://tracing, terrarium report"},
    {.name = "trace-only",
     .arg = "WORDS",
     .help = "only these, as in io,uart16550,syscall: exits, devices, events"},
    {.name = "trace-every", .arg = "N", .help = "only every N-th exit of a vCPU (1)", .set = every_set},
    {.name = "trace-limit", .arg = "N", .help = "no more than N events (1000000)", .set = limit_set},
    {0},
};

static bool is_traced(const struct vm *vm)
{
    return trace && trace->vm == vm;
}

static uint64_t trace_now(void)
{
    return host_now() - trace->start;
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

static struct trace_event describe(const struct kvm_run *run)
{
    struct trace_event e = {
        .kind = TRACE_EXIT, .reason = (uint16_t)run->exit_reason, .rip = run->s.regs.regs.rip};

    if (run->exit_reason == KVM_EXIT_IO) {
        e.is_write = run->io.direction == KVM_EXIT_IO_OUT;
        e.addr = run->io.port;
        e.size = run->io.size;
        e.count = run->io.count;
    } else if (run->exit_reason == KVM_EXIT_MMIO) {
        e.is_write = run->mmio.is_write;
        e.addr = run->mmio.phys_addr;
        e.size = run->mmio.len;
        e.count = 1;
    }
    e.value = exit_value(run);
    return e;
}

/* Whether to record this exit. */
static bool chosen(struct trace_vcpu *t, const struct trace_event *e)
{
    t->seen++;
    if (!trace_wants(&trace->filter, trace->vm, e)) {
        t->refused++;
        return false;
    }
    bool passed_over = (t->seen - t->refused - 1) % trace->filter.every != 0;
    t->skipped += passed_over;
    return !passed_over;
}

/* The handler has done its work. */
static void record(struct vcpu *vcpu, struct trace_vcpu *t, struct trace_event *e)
{
    e->end = trace_now();
    e->guest_ns = t->left_ns == UNKNOWN_NS ? UNKNOWN_NS : e->begin - t->left_ns;
    if (!e->is_write)
        e->value = exit_value(vcpu->run); /* what the device answered */
    trace_put(&t->ring, e);
}

/* Every exit comes here and is given to the handler that it had before. The clock is read only where an event
 * needs it. */
static void trace_handle(struct vcpu *vcpu)
{
    struct trace_vcpu *t = &trace->vcpus[vcpu->id];
    struct trace_event e = describe(vcpu->run);
    bool is_chosen = chosen(t, &e);

    trace_current = vcpu;
    if (is_chosen)
        e.begin = trace_now();
    handlers[e.reason % EXIT_REASONS](vcpu);
    if (is_chosen)
        record(vcpu, t, &e);
    trace_guest_collect(vcpu);
    bool next_counts = (t->seen - t->refused) % trace->filter.every == 0;
    t->left_ns = next_counts ? trace_now() : UNKNOWN_NS;
}

/* An exit that has no handler is the guest's end. The vCPU's own note of it is used: the post-mortem may have
 * run the guest once more. */
static bool trace_died(struct vcpu *vcpu, const char *what)
{
    struct trace_vcpu *t = is_traced(vcpu->vm) ? &trace->vcpus[vcpu->id] : NULL;
    uint16_t reason = (uint16_t)vcpu->last[vcpu->last_index].reason;
    struct trace_event e = {.kind = TRACE_EXIT, .is_write = true, .reason = reason};

    (void)what;
    if (t && vcpu->exit_count > t->seen && chosen(t, &e)) {
        e.begin = trace_now();
        record(vcpu, t, &e);
    }
    return false;
}

/* The console's bytes, in pieces as an event has room for. Called with vm->lock held. */
static void trace_output(struct vm *vm, const void *data, size_t size)
{
    struct trace_event e = {.kind = TRACE_CONSOLE, .begin = trace_now(), .task = MAX_VCPUS};

    if (trace_current)
        e.task = trace_current->id;
    for (size_t done = 0; done < size; done += e.size) {
        e.size = (uint32_t)(size - done < sizeof e.text ? size - done : sizeof e.text);
        memcpy(e.text, (const char *)data + done, e.size);
        trace_put(&trace->console, &e);
    }
    if (output)
        output(vm, data, size);
    else
        vm_write(vm, STDOUT_FILENO, "stdout", data, size);
}

static int trace_vcpu(struct vcpu *vcpu)
{
    if (!is_traced(vcpu->vm))
        return 0;
    trace->vcpus[vcpu->id].left_ns = UNKNOWN_NS;
    vcpu->run->kvm_valid_regs |= KVM_SYNC_X86_REGS; /* RIP then comes with each exit, without a system call */
    return trace_ring_init(&trace->vcpus[vcpu->id].ring);
}

static int trace_attach(struct vm *vm)
{
    if (!options[0].value)
        return options[1].value || options[2].value || options[3].value
                   ? complain(-EINVAL, "--trace-only, -every and -limit go with a trace; add --trace FILE")
                   : 0;
    trace = calloc(1, sizeof *trace);
    if (!trace)
        return complain(-ENOMEM, "--trace: no memory");
    trace->vm = vm;
    trace->path = options[0].value;
    trace->filter.every = every;
    trace->limit = limit;
    trace->start = host_now();
    return trace_ring_init(&trace->console) ?: trace_guest_attach(trace);
}

/* All features have attached: the devices and the handlers are known. */
static int trace_boot(struct vm *vm)
{
    if (!is_traced(vm))
        return 0;
    int err = trace_filter_parse(&trace->filter, vm, options[1].value) ?: trace_file_start(trace);
    if (err < 0)
        return err;
    memcpy(handlers, vm->handlers, sizeof handlers);
    for (unsigned i = 0; i < EXIT_REASONS; i++)
        if (handlers[i])
            vm->handlers[i] = trace_handle;
    if (trace->filter.kinds >> TRACE_CONSOLE & 1) {
        output = vm->output;
        vm->output = trace_output;
    }
    return 0;
}

static void trace_ended(struct vm *vm)
{
    if (!is_traced(vm))
        return;
    pthread_mutex_lock(&vm->lock); /* the devices' thread may still print */
    if (vm->output == trace_output)
        vm->output = output;
    pthread_mutex_unlock(&vm->lock);
    for (unsigned i = 0; i < vm->cpus && vm->vcpus[i]; i++)
        trace_guest_collect(vm->vcpus[i]);
    trace_file_end(trace);
    for (unsigned i = 0; i < MAX_VCPUS; i++)
        trace_ring_free(&trace->vcpus[i].ring);
    trace_ring_free(&trace->console);
    free(trace);
    trace = NULL;
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
