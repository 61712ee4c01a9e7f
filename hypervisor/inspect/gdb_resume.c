/* gdb's commands that let the guest run, stop and end, and the answer when it has stopped (GDB manual,
 * appendix E.2 and E.3). */
#include <signal.h>
#include "gdb.h"

static void reply_reason(struct reply *r, const struct gdb_vcpu *v, uint64_t rip)
{
    const struct breakpoint *point = break_at(rip);
    const char *kind = "watch";

    FOR_EACH_POINT (p)
        if (p->type == POINT_ACCESS && p->gva == v->address)
            kind = "awatch";
    if (v->stop == STOP_WATCH)
        reply_text(r, "%s:%lx;", kind, v->address);
    else if (v->stop == STOP_BREAK && point && point->type == POINT_SOFTWARE && gdb.can_swbreak)
        reply_text(r, "swbreak:;");
}

void reply_stop(struct reply *r, struct vcpu *vcpu)
{
    struct gdb_vcpu *v = &gdb.vcpus[vcpu->id];
    int signal = v->stop == STOP_DIED ? SIGABRT : v->stop == STOP_NONE ? SIGINT : SIGTRAP;
    struct kvm_regs regs = {0};

    ioctl(vcpu->fd, KVM_GET_REGS, &regs);
    reply_text(r, "T%02xthread:%x;", signal, vcpu->id + 1);
    reply_reason(r, v, regs.rip);
    v->stop = STOP_NONE;
    gdb.vcpu = vcpu;
}

/* Go on as planned; where a vCPU has stopped before it ran, that is the answer. */
static void go(struct reply *r)
{
    gdb.running = run_resume();
    if (gdb.running)
        return;
    struct vcpu *vcpu = run_stop() ?: gdb.vcpu;
    reply_stop(r, vcpu);
    reply_place(r, vcpu);
}

/* One action of vCont: "c", "C sig", "s", "S sig", "r start,end"; signals mean nothing to a machine. */
static bool take_action(const char **text, struct gdb_vcpu *plan)
{
    uint64_t signal;
    char letter = **text;

    *plan = (struct gdb_vcpu){.stepping = letter == 's' || letter == 'S' || letter == 'r'};
    *text += letter != 0;
    if (letter == 'C' || letter == 'S')
        return take_number(text, &signal);
    if (letter == 'r')
        return take_number(text, &plan->start) && take_word(text, ",") && take_number(text, &plan->end);
    return letter == 'c' || letter == 's';
}

/* Give the plan to one vCPU, or to all: those that have none yet. */
static void plan_apply(const struct gdb_vcpu *plan, const struct vcpu *only)
{
    for (unsigned i = 0; i < gdb.vm->cpus; i++) {
        struct gdb_vcpu *v = &gdb.vcpus[i];
        if (!v->held || (only && only->id != i))
            continue;
        v->held = false;
        v->stepping = plan->stepping;
        v->start = plan->start;
        v->end = plan->end;
    }
}

/* The leftmost action that names a thread, or names none, is its own; threads without one stand still. */
static int command_resume(const char *text, struct reply *r)
{
    struct gdb_vcpu plan;

    for (unsigned i = 0; i < gdb.vm->cpus; i++)
        gdb.vcpus[i].held = true;
    while (take_word(&text, ";")) {
        bool good = take_action(&text, &plan), all = !take_word(&text, ":") || take_word(&text, "-1");
        const struct vcpu *only = good && !all ? take_thread(&text) : NULL;
        if (!good || (!all && !only))
            return EINVAL;
        plan_apply(&plan, only);
    }
    go(r);
    return 0;
}

GDB_COMMAND(packet_vCont) = {"vCont", .run = command_resume};

GDB_COMMAND(packet_vCont_which) = {"vCont?", .answer = "vCont;c;C;s;S;r"};

static int command_why(const char *text, struct reply *r)
{
    (void)text;
    reply_text(r, "T%02xthread:%x;", SIGTRAP, gdb.vcpu->id + 1);
    return 0;
}

GDB_COMMAND(packet_why) = {"?", .run = command_why};

static int command_detach(const char *text, struct reply *r)
{
    (void)text, (void)r;
    server_hang_up();
    return 0;
}

GDB_COMMAND(packet_D) = {"D", .run = command_detach, .answer = "OK"};

static int command_kill(const char *text, struct reply *r)
{
    (void)text, (void)r;
    vm_stop(gdb.vm, STATUS_SIGNAL + SIGKILL);
    return 0;
}

GDB_COMMAND(packet_vKill) = {"vKill", .run = command_kill, .answer = "OK"};
GDB_COMMAND(packet_k) = {"k", .run = command_kill, .answer = "OK"};

/* ---- Breakpoints: "Z type,addr,kind" ---- */

static bool take_point(const char **text, enum gdb_point *type, uint64_t *addr, uint64_t *kind)
{
    static const enum gdb_point types[] = {POINT_SOFTWARE, POINT_HARDWARE, POINT_WRITE, POINT_FREE,
                                           POINT_ACCESS};
    uint64_t n; /* 3 is a watchpoint for reads alone, which x86 does not have */

    if (!take_number(text, &n) || n >= COUNT(types) || types[n] == POINT_FREE)
        return false;
    *type = types[n];
    return take_word(text, ",") && take_number(text, addr) && take_word(text, ",") && take_number(text, kind);
}

static int command_set_point(const char *text, struct reply *r)
{
    enum gdb_point type;
    uint64_t addr, kind;

    int err = take_point(&text, &type, &addr, &kind) ? point_set(type, addr, kind) : -ENOTSUP;
    if (err == 0)
        reply_text(r, "OK");
    return err == -ENOTSUP ? 0 : -err;
}

GDB_COMMAND(packet_insert) = {"Z", .run = command_set_point};

static int command_clear_point(const char *text, struct reply *r)
{
    enum gdb_point type;
    uint64_t addr, kind;

    (void)r;
    if (!take_point(&text, &type, &addr, &kind))
        return EINVAL;
    point_clear(type, addr, kind);
    return 0;
}

GDB_COMMAND(packet_remove) = {"z", .run = command_clear_point, .answer = "OK"};
