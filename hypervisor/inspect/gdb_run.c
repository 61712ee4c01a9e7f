/* Letting vCPUs run for the debugger, and what makes them stop: exits that are looked at before anybody else.
 */
#include "gdb.h"
#include "x86.h"

static void (*handlers[EXIT_REASONS])(struct vcpu *); /* as they were before ours */

/* Tell KVM what to report of the next KVM_RUN. Debug registers are always "used": else a single step that a
 * trap flag of ours causes later, when the guest loads the RFLAGS that it had saved, would go to the guest.
 */
static void vcpu_debug(struct vcpu *vcpu, uint32_t more)
{
    const struct gdb_vcpu *v = &gdb.vcpus[vcpu->id];
    struct kvm_guest_debug debug = {.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP | more};

    if (gdb.int3_exits)
        debug.control |= KVM_GUESTDBG_USE_SW_BP;
    if ((v->stepping && !v->away) || v->creeping)
        debug.control |= KVM_GUESTDBG_SINGLESTEP;
    if ((v->stepping || v->fetching) && gdb.can_block_interrupts)
        debug.control |= KVM_GUESTDBG_BLOCKIRQ; /* a step must not end in an interrupt handler */
    if (v->stepping)
        gdb.has_stepped = true;
    points_to_debug_registers(debug.arch.debugreg);
    ioctl(vcpu->fd, KVM_SET_GUEST_DEBUG, &debug);
}

/* ---- On the vCPU's thread ---- */

static void cpu_read(struct vcpu *vcpu, struct cpu_state *s)
{
    ioctl(vcpu->fd, KVM_GET_REGS, &s->regs);
    ioctl(vcpu->fd, KVM_GET_SREGS, &s->sregs);
}

/* RIP is where a step has led: is it the end? */
static void look_at_rip(struct vcpu *vcpu, const struct cpu_state *s)
{
    struct gdb_vcpu *v = &gdb.vcpus[vcpu->id];
    const struct breakpoint *watch = watch_changed(vcpu, &s->sregs);

    if (watch) {
        v->stop = STOP_WATCH;
        v->address = watch->gva;
    } else if (break_at(s->regs.rip)) {
        v->stop = STOP_BREAK;
    } else if (v->stepping && (s->regs.rip < v->start || s->regs.rip >= v->end)) {
        v->stop = STOP_STEP;
    }
}

/* Get the vCPU ready for the next KVM_RUN. One that creeps must not run into an INT3: nobody would tell. */
static void go_on(struct vcpu *vcpu, struct cpu_state *s)
{
    struct gdb_vcpu *v = &gdb.vcpus[vcpu->id];

    break_plant(vcpu, &s->sregs);
    if (v->creeping && !v->stepping && break_at(s->regs.rip))
        v->stop = STOP_BREAK;
    if (!v->stop && (v->stepping || v->creeping) && step_by_hand(vcpu, s)) {
        cpu_read(vcpu, s);
        look_at_rip(vcpu, s);
    }
    vcpu_debug(vcpu, 0);
}

/* A step that nobody wants: a trap flag of ours came back with an RFLAGS that the guest had saved. */
static void unwanted_step(struct vcpu *vcpu, struct cpu_state *s)
{
    if (!gdb.has_stepped && !handlers[KVM_EXIT_DEBUG]) { /* it is the guest's own */
        vcpu_debug(vcpu, KVM_GUESTDBG_INJECT_DB);
        return;
    }
    s->regs.rflags &= ~RFLAGS_TF;
    ioctl(vcpu->fd, KVM_SET_REGS, &s->regs);
}

static void debug_exit(struct vcpu *vcpu, struct cpu_state *s)
{
    const struct kvm_debug_exit_arch *arch = &vcpu->run->debug.arch;
    struct gdb_vcpu *v = &gdb.vcpus[vcpu->id];
    const struct breakpoint *fired = point_fired(arch->dr6);

    v->away = false;
    if (arch->exception == BP_VECTOR && break_at(arch->pc)) {
        v->stop = STOP_BREAK;
    } else if (arch->exception == BP_VECTOR) {
        vcpu_debug(vcpu, KVM_GUESTDBG_INJECT_BP); /* an INT3 of the guest's own */
    } else if (fired) {
        v->stop = is_watch(fired) ? STOP_WATCH : STOP_BREAK;
        v->address = fired->gva;
    } else if (v->stepping || v->creeping) {
        step_clean_flags(vcpu, s);
        look_at_rip(vcpu, s);
    } else {
        unwanted_step(vcpu, s);
    }
}

/* Have all stand still; the debugger's thread does the rest. */
static void report(struct vcpu *vcpu)
{
    vm_ask_pause(vcpu->vm);
    server_wake();
}

static void look_at_exit(struct vcpu *vcpu)
{
    unsigned reason = vcpu->run->exit_reason % EXIT_REASONS;
    struct gdb_vcpu *v = &gdb.vcpus[vcpu->id];
    struct cpu_state s;
    bool ours = false;

    bool others_step = handlers[KVM_EXIT_DEBUG]; /* at exits that they choose; here they must not */
    bool all = v->stepping || v->creeping || others_step || !gdb.int3_exits; /* else only KVM's reports */
    if (!gdb.attached || (!all && reason != KVM_EXIT_DEBUG)) {
        if (handlers[reason])
            handlers[reason](vcpu);
        return;
    }
    if (int3_arrived(vcpu, &ours))
        v->stop = ours ? STOP_BREAK : STOP_NONE;
    else if (reason != KVM_EXIT_DEBUG)
        handlers[reason](vcpu);
    cpu_read(vcpu, &s);
    if (reason == KVM_EXIT_DEBUG)
        debug_exit(vcpu, &s);
    if (!v->stop && all)
        go_on(vcpu, &s);
    if (v->stop)
        report(vcpu);
}

/* Before a guest that died goes, the debugger may look at it. The vCPU rests here instead of in its loop. */
bool run_died(struct vcpu *vcpu, const char *what)
{
    (void)what;
    if (gdb.attached) {
        gdb.vcpus[vcpu->id].stop = STOP_DIED;
        report(vcpu);
        vcpu_may_run(vcpu);
    }
    return false;
}

/* ---- On the debugger's thread ---- */

void run_prepare(struct vm *vm)
{
    memcpy(handlers, vm->handlers, sizeof handlers);
    for (unsigned reason = 0; reason < EXIT_REASONS; reason++)
        if (handlers[reason] || reason == KVM_EXIT_DEBUG)
            vm->handlers[reason] = look_at_exit;
    memset(gdb.vcpus, 0, sizeof gdb.vcpus);
    gdb.int3_handler = gdb.fault_handler = (struct gdb_handler){0};
    gdb.spare_stack.number = 0;
    for (unsigned i = 0; i < GDB_BREAKPOINTS; i++)
        gdb.points[i].planted = false; /* the machine is another one than before a reset */
}

bool run_resume(void)
{
    struct cpu_state s;
    bool stopped = false;

    for (unsigned i = 0; i < gdb.vm->cpus; i++) {
        struct gdb_vcpu *v = &gdb.vcpus[i];
        vcpu_hold(gdb.vm->vcpus[i], v->held);
        if (!v->stop && !v->held) {
            cpu_read(gdb.vm->vcpus[i], &s);
            go_on(gdb.vm->vcpus[i], &s);
        }
        stopped |= v->stop != STOP_NONE;
    }
    if (!stopped)
        vm_resume(gdb.vm);
    return !stopped;
}

void run_nudge(void)
{
    bool creeping = false;

    for (unsigned i = 0; i < gdb.vm->cpus; i++)
        creeping |= gdb.vcpus[i].creeping;
    if (!creeping)
        return;
    vm_pause(gdb.vm);
    if (!vm_stopping(gdb.vm) && !run_resume())
        server_wake();
}

/* A breakpoint is not remembered: the vCPU stands before it, and will hit it again if it is still there. */
struct vcpu *run_stop(void)
{
    struct vcpu *first = NULL;

    vm_pause(gdb.vm);
    break_take_out(gdb.vm);
    for (unsigned i = 0; i < gdb.vm->cpus; i++) {
        struct gdb_vcpu *v = &gdb.vcpus[i];
        v->stepping = v->creeping = v->away = v->held = false;
        v->fetching = 0;
        if (v->stop && !first)
            first = gdb.vm->vcpus[i];
        else if (v->stop == STOP_BREAK || v->stop == STOP_STEP)
            v->stop = STOP_NONE;
    }
    return first;
}

void run_detach(void)
{
    struct kvm_guest_debug off = {0};

    run_stop();
    memset(gdb.points, 0, sizeof gdb.points);
    for (unsigned i = 0; i < gdb.vm->cpus; i++) {
        ioctl(gdb.vm->vcpus[i]->fd, KVM_SET_GUEST_DEBUG, &off);
        vcpu_hold(gdb.vm->vcpus[i], false);
        gdb.vcpus[i].stop = STOP_NONE;
    }
    gdb.attached = false;
    vm_resume(gdb.vm);
}
