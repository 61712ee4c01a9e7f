/* gdb's commands that let the guest run, stop and end, and the answer when it has stopped (GDB manual,
 * appendix E.2 and E.3). */
#include <signal.h>
#include "gdb.h"

static bool is_watch_type(const struct breakpoint *p, uint64_t gva, enum gdb_point type)
{
    return p->type == type && p->gva == gva;
}

static void reply_reason(struct reply *r, const struct gdb_vcpu *v, uint64_t rip)
{
    const struct breakpoint *point = break_at(rip);
    bool access = false;

    for (unsigned i = 0; i < GDB_BREAKPOINTS; i++)
        access |= is_watch_type(&gdb.points[i], v->address, POINT_ACCESS);
    if (v->stop == STOP_WATCH)
        reply_text(r, "%s:%lx;", access ? "awatch" : "watch", v->address);
    else if (v->stop == STOP_BREAK && point && point->type == POINT_SOFTWARE && gdb.can_swbreak)
        reply_text(r, "swbreak:;");
    else if (v->stop == STOP_BREAK && point && point->type == POINT_HARDWARE && gdb.can_hwbreak)
        reply_text(r, "hwbreak:;");
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
    struct vcpu *vcpu = run_stop();
    reply_stop(r, vcpu ?: gdb.vcpu);
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

/* Give the plan to one vCPU, or to all, that have none yet. */
static void plan_apply(const struct gdb_vcpu *plan, const struct vcpu *only, bool *planned)
{
    for (unsigned i = 0; i < gdb.vm->cpus; i++) {
        struct gdb_vcpu *v = &gdb.vcpus[i];
        if (planned[i] || (only && only->id != i))
            continue;
        planned[i] = true;
        v->held = false;
        v->stepping = plan->stepping;
        v->start = plan->start;
        v->end = plan->end;
    }
}

/* The leftmost action that names a thread, or names none, is its own; threads without one stand still. */
static void command_continue_threads(const char *text, struct reply *r)
{
    bool planned[MAX_VCPUS] = {false};
    struct gdb_vcpu plan;

    for (unsigned i = 0; i < gdb.vm->cpus; i++)
        gdb.vcpus[i].held = true;
    while (take_word(&text, ";")) {
        bool good = take_action(&text, &plan), all = !take_word(&text, ":") || take_word(&text, "-1");
        const struct vcpu *only = good && !all ? take_thread(&text) : NULL;
        if (!good || (!all && !only)) {
            reply_text(r, "E%02x", EINVAL);
            return;
        }
        plan_apply(&plan, only, planned);
    }
    go(r);
}

GDB_COMMAND(command_continue_threads) = {"vCont", command_continue_threads};

static void command_continue(const char *text, struct reply *r)
{
    (void)text;
    command_continue_threads(";c", r);
}

GDB_COMMAND(command_continue) = {"c", command_continue};

static void command_step(const char *text, struct reply *r)
{
    char action[16];

    (void)text;
    snprintf(action, sizeof action, ";s:%x", gdb.vcpu->id + 1);
    command_continue_threads(action, r);
}

GDB_COMMAND(command_step) = {"s", command_step};

static void command_which_actions(const char *text, struct reply *r)
{
    (void)text;
    reply_text(r, "vCont;c;C;s;S;r");
}

GDB_COMMAND(command_which_actions) = {"vCont?", command_which_actions};

static void command_why(const char *text, struct reply *r)
{
    (void)text;
    reply_text(r, "T%02xthread:%x;", SIGTRAP, gdb.vcpu->id + 1);
}

GDB_COMMAND(command_why) = {"?", command_why};

static void command_detach(const char *text, struct reply *r)
{
    (void)text;
    reply_text(r, "OK");
    server_hang_up();
}

GDB_COMMAND(command_detach) = {"D", command_detach};

static void command_kill(const char *text, struct reply *r)
{
    (void)text;
    reply_text(r, "OK");
    vm_stop(gdb.vm, STATUS_SIGNAL + SIGKILL);
}

GDB_COMMAND(command_kill) = {"vKill", command_kill};

GDB_COMMAND(command_kill_1) = {"k", command_kill};

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

static void command_set_point(const char *text, struct reply *r)
{
    enum gdb_point type;
    uint64_t addr, kind;

    if (!take_point(&text, &type, &addr, &kind))
        return;
    int err = point_set(type, addr, kind);
    if (err != -ENOTSUP)
        reply_text(r, err ? "E%02x" : "OK", -err);
}

GDB_COMMAND(command_set_point) = {"Z", command_set_point};

static void command_clear_point(const char *text, struct reply *r)
{
    enum gdb_point type;
    uint64_t addr, kind;

    if (!take_point(&text, &type, &addr, &kind))
        return;
    point_clear(type, addr, kind);
    reply_text(r, "OK");
}

GDB_COMMAND(command_clear_point) = {"z", command_clear_point};
