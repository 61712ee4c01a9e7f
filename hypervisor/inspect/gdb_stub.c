/* The commands of gdb's remote protocol (GDB manual, appendix E.2 to E.4). What is not known gets an empty
 * answer, and gdb does without. */
#include <signal.h>
#include <stdlib.h>
#include "gdb.h"

struct gdb gdb;

/* ---- Threads: vCPU n is thread n + 1 ---- */

/* The vCPU of a thread id. 0 is any, -1 all: the current one. NULL: there is no such. */
static struct vcpu *take_thread(const char **text)
{
    uint64_t id;

    if (take_word(text, "-1"))
        return gdb.vcpu;
    if (!take_number(text, &id) || id > gdb.vm->cpus)
        return NULL;
    return id == 0 ? gdb.vcpu : gdb.vm->vcpus[id - 1];
}

static void command_thread(const char *text, struct reply *r)
{
    bool for_data = *text == 'g'; /* Hc is from before vCont */
    struct vcpu *vcpu = *text ? (text++, take_thread(&text)) : NULL;

    if (vcpu && for_data)
        gdb.vcpu = vcpu;
    reply_text(r, vcpu ? "OK" : "E%02x", EINVAL);
}

static void command_thread_alive(const char *text, struct reply *r)
{
    reply_text(r, take_thread(&text) ? "OK" : "E%02x", EINVAL);
}

static void query_threads(const char *text, struct reply *r)
{
    (void)text;
    for (unsigned i = 0; i < gdb.vm->cpus; i++)
        reply_text(r, "%c%x", i ? ',' : 'm', i + 1);
}

static void query_no_more_threads(const char *text, struct reply *r)
{
    (void)text;
    reply_text(r, "l");
}

static void query_thread_name(const char *text, struct reply *r)
{
    static const char *const states[] = {"running", "not started", "INIT received", "halted",
                                         "SIPI received"};
    struct kvm_mp_state state = {0};
    const struct vcpu *vcpu = take_thread(&text);
    char name[64];

    if (!vcpu)
        return;
    ioctl(vcpu->fd, KVM_GET_MP_STATE, &state);
    int n = snprintf(name, sizeof name, "vCPU %u: %s", vcpu->id,
                     state.mp_state < COUNT(states) ? states[state.mp_state] : "?");
    reply_hex(r, name, (size_t)n);
}

static void query_current_thread(const char *text, struct reply *r)
{
    (void)text;
    reply_text(r, "QC%x", gdb.vcpu->id + 1);
}

/* ---- Running ---- */

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
        for (unsigned i = 0; i < gdb.vm->cpus; i++) {
            enum gdb_stop stop = gdb.vcpus[i].stop;
            if (planned[i] || (only && only->id != i))
                continue;
            planned[i] = true;
            gdb.vcpus[i] = plan;
            gdb.vcpus[i].stop = stop; /* not told yet */
        }
    }
    go(r);
}

static void command_continue(const char *text, struct reply *r)
{
    (void)text;
    command_continue_threads(";c", r);
}

static void command_step(const char *text, struct reply *r)
{
    char action[16];

    (void)text;
    snprintf(action, sizeof action, ";s:%x", gdb.vcpu->id + 1);
    command_continue_threads(action, r);
}

static void command_which_actions(const char *text, struct reply *r)
{
    (void)text;
    reply_text(r, "vCont;c;C;s;S;r");
}

static void command_why(const char *text, struct reply *r)
{
    (void)text;
    reply_text(r, "T%02xthread:%x;", SIGTRAP, gdb.vcpu->id + 1);
}

static void command_detach(const char *text, struct reply *r)
{
    (void)text;
    reply_text(r, "OK");
    server_hang_up();
}

static void command_kill(const char *text, struct reply *r)
{
    (void)text;
    reply_text(r, "OK");
    vm_stop(gdb.vm, STATUS_SIGNAL + SIGKILL);
}

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

static void command_clear_point(const char *text, struct reply *r)
{
    enum gdb_point type;
    uint64_t addr, kind;

    if (!take_point(&text, &type, &addr, &kind))
        return;
    point_clear(type, addr, kind);
    reply_text(r, "OK");
}

/* ---- Queries ---- */

static void query_supported(const char *text, struct reply *r)
{
    gdb.can_swbreak = strstr(text, "swbreak+");
    gdb.can_hwbreak = strstr(text, "hwbreak+");
    reply_text(r, "PacketSize=%x;QStartNoAckMode+;qXfer:features:read+;vContSupported+;swbreak+;hwbreak+",
               PACKET_MAX);
}

/* "annex:offset,length": a window of a text. 'm': there is more, 'l': that was the last. */
static void query_features(const char *text, struct reply *r)
{
    uint64_t offset, length;
    char *xml = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&xml, &size);

    if (!out)
        return;
    target_print(out);
    fclose(out);
    if (take_word(&text, "target.xml:") && take_number(&text, &offset) && take_word(&text, ",") &&
        take_number(&text, &length) && offset <= size) {
        uint64_t rest = size - offset, most = PACKET_MAX / 2; /* all of them might need an escape */
        length = length < most ? length : most;
        reply_text(r, length < rest ? "m" : "l");
        reply_binary(r, xml + offset, length < rest ? length : rest);
    } else {
        reply_text(r, "E00");
    }
    free(xml);
}

static void query_attached(const char *text, struct reply *r)
{
    (void)text;
    reply_text(r, "1"); /* gdb lets go of the guest when it ends, instead of killing it */
}

static void set_no_ack(const char *text, struct reply *r)
{
    (void)text;
    gdb.no_ack = true;
    reply_text(r, "OK");
}

/* QEMU's way to say that addresses are physical. */
static void set_physical(const char *text, struct reply *r)
{
    gdb.physical = *text == '1';
    reply_text(r, "OK");
}

static void query_physical(const char *text, struct reply *r)
{
    (void)text;
    reply_text(r, "%d", gdb.physical);
}

/* Output goes ahead in packets of its own. */
static void query_monitor(const char *text, struct reply *r)
{
    struct reply output = {0};
    char line[256] = "", *printed = NULL;
    size_t length = strlen(text) / 2, size = 0;
    FILE *out =
        length < sizeof line && take_hex(&text, line, length) ? open_memstream(&printed, &size) : NULL;

    if (!out) {
        reply_text(r, "E%02x", EINVAL);
        return;
    }
    monitor_command(line, out);
    fclose(out);
    for (size_t done = 0, part; done < size; done += part) {
        part = size - done < PACKET_MAX / 4 ? size - done : PACKET_MAX / 4;
        output.size = 0;
        reply_text(&output, "O");
        reply_hex(&output, printed + done, part);
        server_send(&output);
    }
    free(printed);
    reply_text(r, "OK");
}

static const struct {
    const char *word;
    void (*run)(const char *text, struct reply *r); /* text: what follows the word */
} commands[] = {
    {"?", command_why},
    {"g", command_registers},
    {"G", command_set_registers},
    {"p", command_register},
    {"P", command_set_register},
    {"m", command_read_memory},
    {"M", command_write_memory},
    {"H", command_thread},
    {"T", command_thread_alive},
    {"vCont?", command_which_actions},
    {"vCont", command_continue_threads},
    {"vKill", command_kill},
    {"c", command_continue},
    {"s", command_step},
    {"Z", command_set_point},
    {"z", command_clear_point},
    {"D", command_detach},
    {"k", command_kill},
    {"qSupported", query_supported},
    {"qXfer:features:read:", query_features},
    {"qfThreadInfo", query_threads},
    {"qsThreadInfo", query_no_more_threads},
    {"qThreadExtraInfo,", query_thread_name},
    {"qC", query_current_thread},
    {"qAttached", query_attached},
    {"qRcmd,", query_monitor},
    {"qqemu.PhyMemMode", query_physical},
    {"Qqemu.PhyMemMode:", set_physical},
    {"QStartNoAckMode", set_no_ack},
};

bool gdb_command(struct packet_reader *reader, struct reply *r)
{
    const char *text = reader->data;

    *r = (struct reply){0};
    if (*text == 'X') {
        command_write_binary(text + 1, reader->data + reader->size, r);
        return true;
    }
    for (size_t i = 0; i < COUNT(commands); i++)
        if (take_word(&text, commands[i].word)) {
            commands[i].run(text, r);
            break;
        }
    return !gdb.running;
}
